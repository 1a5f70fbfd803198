import {
  CONFIGURATION,
  CONFIGURATION_DIRECTORIES,
  GBM_BACKEND,
  X_MODULES,
} from "../../driver/facts/files.ts";
import { bindMount, type Link, type Mount } from "../../model/container-edits.ts";
import { basename, type ContainerPath, containerPath, type HostPath, hostPath } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";
import type { Finder, Server } from "./server.ts";

/**
 * Finds the files by which OpenCL, Vulkan, EGL and X find the driver. All are optional, because the
 * set depends on the driver's version and packager. A missing file is not a finding.
 */
export const graphicsFiles: Finder<Server> = ({ root, capabilities, version }) => {
  const mounts: Mount[] = [];
  for (const [pattern, capability] of CONFIGURATION) {
    if (!capabilities.has(capability)) continue;
    const name = pattern.replace("*", version);
    for (const directory of CONFIGURATION_DIRECTORIES) {
      const path = containerPath(`${directory}/${name}`);
      const real = root.resolve(path);
      if (real === undefined) continue;
      mounts.push(bindMount("file", real, path, `configuration ${path}`));
      break;
    }
  }
  if (capabilities.has("display")) {
    for (const path of X_MODULES) {
      const real = root.resolve(path);
      if (real !== undefined) mounts.push(bindMount("file", real, containerPath(path), `X module ${path}`));
    }
  }
  return { mounts };
};

/**
 * Finds the link by which GBM loads the driver's allocator, if the host has it.
 *
 * @param hostLibraries the host's directory of the driver's libraries.
 * @param libraries the container's directory of them.
 */
export function gbmLinks(
  host: HostView,
  hostLibraries: HostPath | undefined,
  libraries: ContainerPath,
): readonly Link[] {
  if (hostLibraries === undefined) return [];
  const text = host.readLink(hostPath(`${hostLibraries}/${GBM_BACKEND}`));
  if (text === undefined) return [];
  const path = containerPath(`${libraries}/${GBM_BACKEND}`);
  return [{ containerPath: path, target: `../${basename(text)}`, source: `GBM backend ${GBM_BACKEND}` }];
}
