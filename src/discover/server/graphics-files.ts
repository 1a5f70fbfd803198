import { CONFIGURATION, CONFIGURATION_DIRECTORIES } from "../../driver/facts/files.ts";
import { bindMount, type Mount } from "../../model/container-edits.ts";
import { containerPath } from "../../model/paths.ts";
import type { Finder, Server } from "./server.ts";

/**
 * Finds the files by which OpenCL, Vulkan, EGL and X find the driver. All are optional, because the
 * set depends on the driver's version and packager. A missing file is not a finding.
 */
export const graphicsFiles: Finder<Server> = ({ root, capabilities, version }) => {
  // Most hosts have none of the other systems' directories.
  const directories = CONFIGURATION_DIRECTORIES.filter(
    ([host, container]) => host === container || root.resolve(host) !== undefined,
  );
  const mounts: Mount[] = [];
  for (const [pattern, capability] of CONFIGURATION) {
    if (!capabilities.has(capability)) continue;
    const name = pattern.replace("*", version);
    for (const [host, container] of directories) {
      const real = root.resolve(`${host}/${name}`);
      if (real === undefined) continue;
      mounts.push(
        bindMount("file", real, containerPath(`${container}/${name}`), `configuration ${host}/${name}`),
      );
      break;
    }
  }
  return { mounts };
};
