import type { Link, Mount } from "../../model/container-edits.ts";
import type { DriverCapability } from "../../model/driver-capability.ts";
import { basename, type ContainerPath, containerPath, type HostPath } from "../../model/paths.ts";
import type { DeviceCollector } from "./device-nodes.ts";
import type { DriverRoot } from "./driver-root.ts";
import { readOnly } from "./found-files.ts";
import type { Gpu } from "./gpus.ts";

/** Configuration is looked for here, the most particular first, and keeps its path. */
const CONFIGURATION_DIRECTORIES = ["/etc", "/usr/local/share", "/usr/share"];

/** Files by which loaders of other vendors find NVIDIA's libraries, and data of the driver. `*` is its version. */
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

/** Modules of an X server, which keep their path. */
const X_MODULES = [
  "/usr/lib/xorg/modules/drivers/nvidia_drv.so",
  "/usr/lib/xorg/modules/extensions/libglxserver_nvidia.so",
  "/usr/lib64/xorg/modules/drivers/nvidia_drv.so",
  "/usr/lib64/xorg/modules/extensions/libglxserver_nvidia.so",
];

/** What {@link discoverGraphicsFiles} is told. */
export interface GraphicsSearch {
  readonly root: DriverRoot;
  readonly capabilities: ReadonlySet<DriverCapability>;
  readonly driverVersion: string;
  /** The host's and the container's directory of driver libraries. */
  readonly hostLibraries: HostPath | undefined;
  readonly containerLibraries: ContainerPath;
}

/**
 * Finds the files by which OpenCL, Vulkan, EGL, GBM and X find the driver. All are optional: which of them a
 * driver has depends on its version and its packager, so a missing one is no finding.
 */
export function discoverGraphicsFiles(search: GraphicsSearch): {
  readonly mounts: readonly Mount[];
  readonly links: readonly Link[];
} {
  const { root, capabilities, driverVersion } = search;
  const mounts: Mount[] = [];
  for (const [pattern, capability] of CONFIGURATION) {
    if (!capabilities.has(capability)) continue;
    const name = pattern.replace("*", driverVersion);
    for (const directory of CONFIGURATION_DIRECTORIES) {
      const path = `${directory}/${name}`;
      const real = root.resolve(path);
      if (real === undefined) continue;
      mounts.push(readOnly("file", real, path, `configuration ${path}`));
      break;
    }
  }
  if (capabilities.has("display")) {
    for (const path of X_MODULES) {
      const real = root.resolve(path);
      if (real !== undefined) mounts.push(readOnly("file", real, path, `X module ${path}`));
    }
  }
  return { mounts, links: capabilities.has("graphics") ? gbmLinks(search) : [] };
}

/** The name by which GBM loads the driver's allocator as its backend. */
const GBM_BACKEND = "gbm/nvidia-drm_gbm.so";

function gbmLinks({ root, hostLibraries, containerLibraries }: GraphicsSearch): Link[] {
  if (hostLibraries === undefined) return [];
  const text = root.host.readLink(`${hostLibraries}/${GBM_BACKEND}` as HostPath);
  if (text === undefined) return [];
  const path = containerPath(`${containerLibraries}/${GBM_BACKEND}`);
  return [{ containerPath: path, target: `../${basename(text)}`, source: `GBM backend ${GBM_BACKEND}` }];
}

/** Adds the nodes over which GPUs draw on screens, and the names by which programs know whose they are. */
export function addDrmNodes(root: DriverRoot, devices: DeviceCollector, gpus: readonly Gpu[]): Link[] {
  const links: Link[] = [];
  for (const { index, busId } of gpus) {
    const place = `/sys/bus/pci/devices/${busId}/drm` as HostPath;
    for (const name of (root.host.readDirectory(place) ?? []).sort()) {
      const kind = /^(card|render)D?\d+$/.exec(name)?.[1];
      const source = `GPU ${index}`;
      if (kind === undefined || !devices.add(`/dev/dri/${name}`, source)) continue;
      const path = containerPath(`/dev/dri/by-path/pci-${busId}-${kind}`);
      links.push({ containerPath: path, target: `../${name}`, source });
    }
  }
  return links;
}
