import type { DriverCapability } from "../../model/driver-capability.ts";

/**
 * The driver's programs. Left out on purpose: programs that change the host or need a desktop.
 *
 * @see "Installed Components" in the README of NVIDIA's driver; src/nvc_info.c of libnvidia-container 1.19
 * @checked 2026-11-21
 */
export const PROGRAMS: readonly (readonly [name: string, capability: DriverCapability])[] = [
  ["nvidia-smi", "utility"],
  ["nvidia-debugdump", "utility"],
  ["nvidia-persistenced", "utility"],
  ["nv-fabricmanager", "utility"],
  ["nvidia-imex", "utility"],
  ["nvidia-imex-ctl", "utility"],
  ["nvidia-cuda-mps-control", "compute"],
  ["nvidia-cuda-mps-server", "compute"],
];

/**
 * Directories of programs, in search order. PATH is ignored: the hook's environment may come from anywhere.
 *
 * @see hier(7); NixOS: /run/current-system
 * @checked 2026-11-21
 */
export const PROGRAM_DIRECTORIES: readonly string[] = [
  "/usr/bin",
  "/usr/sbin",
  "/usr/local/bin",
  "/usr/local/sbin",
  "/bin",
  "/sbin",
  "/run/current-system/sw/bin",
];

/**
 * Directories of configuration files, the most specific first. Files keep their path.
 *
 * @see https://github.com/NVIDIA/libglvnd "EGL ICD installation"; the Vulkan loader's "Linux Driver Discovery"
 * @checked 2026-11-21
 */
export const CONFIGURATION_DIRECTORIES: readonly string[] = ["/etc", "/usr/local/share", "/usr/share"];

/**
 * Files by which vendor-neutral loaders find NVIDIA's libraries, and data of the driver. `*` is its version.
 *
 * @see "Installed Components" in the README of NVIDIA's driver; pkg/nvcdi of NVIDIA/nvidia-container-toolkit 1.20
 * @checked 2026-11-21
 */
export const CONFIGURATION: readonly (readonly [path: string, capability: DriverCapability])[] = [
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

/**
 * Modules of an X server. They keep their path.
 *
 * @see "Installed Components" in the README of NVIDIA's driver
 * @checked 2026-11-21
 */
export const X_MODULES: readonly string[] = [
  "/usr/lib/xorg/modules/drivers/nvidia_drv.so",
  "/usr/lib/xorg/modules/extensions/libglxserver_nvidia.so",
  "/usr/lib64/xorg/modules/drivers/nvidia_drv.so",
  "/usr/lib64/xorg/modules/extensions/libglxserver_nvidia.so",
];

/**
 * The name by which GBM loads the driver's allocator.
 *
 * @see "Installed Components" in the README of NVIDIA's driver
 * @checked 2026-11-21
 */
export const GBM_BACKEND = "gbm/nvidia-drm_gbm.so";

/**
 * The firmware that the user-space driver loads into the GPU's system processor. The kernel searches the directories in
 * this order, after the one that its parameter names.
 *
 * @see https://docs.kernel.org/driver-api/firmware/fw_search_path.html
 * @checked 2026-11-21
 */
export const FIRMWARE = {
  parameter: "/sys/module/firmware_class/parameters/path",
  directories: ["/lib/firmware/updates", "/lib/firmware"],
  /** Directory of the container, in which the driver looks. */
  target: "/lib/firmware",
  names: /^gsp.*\.bin$/,
} as const;

/**
 * The sockets of the driver's services.
 *
 * @see src/nvc_info.c of libnvidia-container 1.19
 * @checked 2026-11-21
 */
export const SOCKETS: readonly {
  readonly path: string;
  readonly kind: "socket" | "directory";
  readonly capability: DriverCapability;
}[] = [
  { path: "/run/nvidia-persistenced/socket", kind: "socket", capability: "utility" },
  { path: "/run/nvidia-fabricmanager/socket", kind: "socket", capability: "utility" },
  { path: "/tmp/nvidia-mps", kind: "directory", capability: "compute" },
];

/** The parts of a feature: device nodes in a directory, and files. */
interface FeatureParts {
  readonly directory: string;
  /** The nodes' names for findings. */
  readonly names: string;
  readonly devices: RegExp;
  readonly files?: readonly (readonly [kind: "file" | "directory", path: string])[];
}

/**
 * The parts of each feature that an environment variable requests.
 *
 * @see internal/discover/{gds,mofed,gdrcopy,nvswitch}.go of NVIDIA/nvidia-container-toolkit 1.20
 * @checked 2026-11-21
 */
export const FEATURE_PARTS: Readonly<Record<"gds" | "mofed" | "gdrcopy" | "nvswitch", FeatureParts>> = {
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
