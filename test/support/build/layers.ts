/**
 * What each folder of src/ (or the entry) may import, besides itself, model/ and text/. One way only: nothing lower names
 * a higher one. ARCHITECTURE.md has the same table.
 */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "main.ts": ["hook", "oci", "sys"],
  cli: [
    ...[
      "config",
      "discover",
      "driver",
      "elf",
      "execute",
      "hook",
      "host-setup",
      "json",
      "ldcache",
      "manifest",
    ],
    ...["oci", "plan", "render", "request", "sys"],
  ],
  runtime: ["config", "discover", "hook", "host-setup", "json", "oci", "request", "sys"],
  hook: ["config", "discover", "execute", "host-setup", "oci", "plan", "render", "request", "sys"],
  "host-setup": ["config", "discover", "driver", "request", "sys"],
  execute: ["discover", "plan", "sys"],
  plan: ["discover"],
  discover: ["config", "driver", "elf", "ldcache", "manifest", "request"],
  oci: ["json"],
  elf: ["binary"],
  ldcache: ["binary"],
  driver: [],
  manifest: [],
  request: [],
  config: [],
  render: [],
  json: [],
  binary: [],
  sys: [],
  model: [],
  text: [],
};

/** Folders whose types a folder may name, and no more: wording is about what others have found. */
export const MAY_DESCRIBE: Readonly<Record<string, readonly string[]>> = {
  render: ["discover", "host-setup", "manifest", "plan"],
};
