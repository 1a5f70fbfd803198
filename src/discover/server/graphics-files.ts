import { bindMount, type Link, type Mount } from "../../model/container-edits.ts";
import type { DriverCapability } from "../../model/driver-capability.ts";
import { basename, type ContainerPath, containerPath, type HostPath, hostPath } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";
import type { Finder, Server } from "./server.ts";

/** Directories of configuration files, the most specific first. Files keep their path. */
const CONFIGURATION_DIRECTORIES = ["/etc", "/usr/local/share", "/usr/share"];

/** Files by which vendor-neutral loaders find NVIDIA's libraries, and data of the driver. `*` is its version. */
const CONFIGURATION: readonly (readonly [path: string, capability: DriverCapability])[] = [
  ["OpenCL/vendors/nvidia.icd", "compute"],
  ["glvnd/egl_vendor.d/10_nvidia.json", "graphics"],
  ["egl/egl_external_platform.d/09_nvidia_wayland2.json", "graphics"],
  ["egl/egl_external_platform.d/10_nvidia_wayland.json", "graphics"],
  ["egl/egl_external_platform.d/15_nvidia_gbm.json", "graphics"],
  ["egl/egl_external_platform.d/20_nvidia_xcb.json", "graphics"],
  ["egl/egl_external_platform.d/20_nvidia_xlib.json", "graphics"],
  ["vulkan/icd.d/nvidia_icd.json", "graphics"],
  ["vulkan/icd.d/nvidia_icd.x86_64.json", "graphics"],
  ["vulkan/icd.d/nvidia_icd.aarch64.json", "graphics"],
  ["vulkan/icd.d/nvidia_layers.json", "graphics"],
  ["vulkan/implicit_layer.d/nvidia_layers.json", "graphics"],
  ["nvidia/nvoptix.bin", "graphics"],
  ["nvidia/nvidia-application-profiles-*-rc", "graphics"],
  ["nvidia/nvidia-application-profiles-*-key-documentation", "graphics"],
  ["X11/xorg.conf.d/10-nvidia.conf", "display"],
  ["X11/xorg.conf.d/nvidia-drm-outputclass.conf", "display"],
];

/** Modules of an X server. They keep their path. */
const X_MODULES = [
  "/usr/lib/xorg/modules/drivers/nvidia_drv.so",
  "/usr/lib/xorg/modules/extensions/libglxserver_nvidia.so",
  "/usr/lib64/xorg/modules/drivers/nvidia_drv.so",
  "/usr/lib64/xorg/modules/extensions/libglxserver_nvidia.so",
];

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

/** The name by which GBM loads the driver's allocator. */
const GBM_BACKEND = "gbm/nvidia-drm_gbm.so";

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
