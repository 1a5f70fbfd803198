import type { Mount } from "../../model/container-edits.ts";
import { type Finding, finding } from "../../model/finding.ts";
import { FEATURE_VARIABLES, type ServerFeature } from "../../request/server-features.ts";
import type { DeviceCollector } from "./device-nodes.ts";
import type { DriverRoot } from "./driver-root.ts";
import { type FoundFiles, readOnly } from "./found-files.ts";

/** What a feature consists of: device nodes in a directory, and files. */
const PARTS: Readonly<
  Record<
    ServerFeature,
    {
      readonly directory: string;
      /** For people. */
      readonly names: string;
      readonly devices: RegExp;
      readonly files?: readonly (readonly [kind: Mount["kind"], path: string])[];
    }
  >
> = {
  gds: {
    directory: "/dev",
    names: "nvidia-fs*",
    devices: /^nvidia-fs\d+$/,
    files: [
      ["directory", "/run/udev"],
      ["file", "/etc/cufile.json"],
    ],
  },
  mofed: { directory: "/dev/infiniband", names: "uverbs*", devices: /^(?:uverbs\d+|rdma_cm)$/ },
  gdrcopy: { directory: "/dev", names: "gdrdrv", devices: /^gdrdrv$/ },
  nvswitch: { directory: "/dev", names: "nvidia-nvswitch*", devices: /^nvidia-nvswitch(?:ctl|\d+)$/ },
};

/** Adds the device nodes of the features, and finds their files. Nothing of them is required to be there. */
export function discoverFeatures(
  root: DriverRoot,
  devices: DeviceCollector,
  features: readonly ServerFeature[],
): FoundFiles {
  const mounts: Mount[] = [];
  const findings: Finding[] = [];
  for (const feature of features) {
    const { directory, names: shown, devices: pattern, files = [] } = PARTS[feature];
    const source = FEATURE_VARIABLES[feature];
    const names = devices.list(directory).filter((name) => pattern.test(name));
    for (const name of names) devices.add(`${directory}/${name}`, source);
    if (names.length === 0) {
      findings.push(
        finding("entry-missing", "warning", source, { type: "dev", path: `${directory}/${shown}` }),
      );
    }
    for (const [kind, path] of files) {
      const real = root.resolve(path);
      if (real !== undefined) mounts.push(readOnly(kind, real, path, source));
      else findings.push(finding("entry-missing", "info", source, { type: kind, path }));
    }
  }
  return { mounts, findings };
}
