import { writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Writes config.json: a container that runs a shell script and asks for everything there is.
 *
 * @param hook the hook's command line, its first word an absolute path
 */
export function writeBundle(directory, { script, hook, id }) {
  const capabilities = ["CAP_CHOWN", "CAP_DAC_OVERRIDE"];
  const config = {
    ociVersion: "1.0.2",
    process: {
      user: { uid: 0, gid: 0 },
      args: ["/bin/sh", "-c", script],
      env: [
        "PATH=/usr/sbin:/usr/bin",
        "LC_ALL=C",
        "NVIDIA_VISIBLE_DEVICES=all",
        "NVIDIA_DRIVER_CAPABILITIES=all",
        "NVIDIA_REQUIRE_JETPACK=csv-mounts=all",
      ],
      cwd: "/",
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [],
    },
    root: { path: "rootfs" },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] },
    ],
    hooks: { prestart: [{ path: hook[0], args: hook, env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] }] },
    linux: {
      cgroupsPath: `/${id}`,
      namespaces: ["pid", "mount", "ipc", "uts"].map((type) => ({ type })),
      resources: { devices: [{ allow: false, access: "rwm" }] },
    },
  };
  writeFileSync(join(directory, "config.json"), JSON.stringify(config, null, 2));
}
