import type { DriverCapability } from "../../model/driver-capability.ts";

/**
 * The driver's programs. Left out on purpose: programs that change the host or need a desktop.
 *
 * @see "Installed Components" in the README of NVIDIA's driver; src/nvc_info.c of libnvidia-container 1.19;
 * internal/discover/graphics.go of NVIDIA/nvidia-container-toolkit 1.20 (nvidia-xconfig); negativo17's package of
 * driver 610.43.02 (nvidia-pcc, nvidia-ngx-updater)
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
  ["nvidia-pcc", "graphics"],
  ["nvidia-xconfig", "display"],
  ["nvidia-ngx-updater", "ngx"],
];

/**
 * Directories of programs, in search order. PATH is ignored: the hook's environment may come from anywhere.
 *
 * @see hier(7); NixOS and Guix: /run/current-system
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
  "/run/current-system/profile/bin",
];

/**
 * Directories of configuration files, the most specific first, and where loaders look for the same in a container.
 * Those of NixOS and Guix exist nowhere else, and no image's loaders look there.
 *
 * @see https://github.com/NVIDIA/libglvnd "EGL ICD installation"; the Vulkan loader's "Linux Driver Discovery"; NixOS:
 * hardware.graphics; Guix: "Invoking guix system"
 * @checked 2026-11-21
 */
export const CONFIGURATION_DIRECTORIES: readonly (readonly [host: string, container: string])[] = [
  ["/etc", "/etc"],
  ["/usr/local/share", "/usr/local/share"],
  ["/usr/share", "/usr/share"],
  ["/run/opengl-driver/etc", "/etc"],
  ["/run/opengl-driver/share", "/usr/share"],
  ["/run/current-system/profile/etc", "/etc"],
  ["/run/current-system/profile/share", "/usr/share"],
];

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
  ["vulkansc/icd.d/nvidia_icd.json", "graphics"],
  ["vulkansc/icd.d/nvidia_icd.x86_64.json", "graphics"],
  ["vulkansc/icd.d/nvidia_icd.aarch64.json", "graphics"],
  ["nvidia/nvoptix.bin", "graphics"],
  ["nvidia/nvidia-application-profiles-*-rc", "graphics"],
  ["nvidia/nvidia-application-profiles-*-key-documentation", "graphics"],
  // libnvidia-sandboxutils answers from it which files a container needs.
  ["nvidia/files.d/sandboxutils-filelist.json", "utility"],
  ["X11/xorg.conf.d/10-nvidia.conf", "display"],
  ["X11/xorg.conf.d/nvidia-drm-outputclass.conf", "display"],
];

/**
 * Modules of an X server. They keep their path, because a `ModulePath` in xorg.conf names it.
 *
 * @see internal/discover/graphics.go of NVIDIA/nvidia-container-toolkit 1.20
 * @checked 2026-11-21
 */
export const X_MODULES = {
  names: ["nvidia_drv.so", "libglxserver_nvidia.so"],
  /** Directories below that of the driver's libraries, before {@link X_MODULES.directories}. */
  beside: ["nvidia/xorg", "xorg"],
  directories: ["/usr/lib/xorg", "/usr/lib64/xorg", "/usr/X11R6/lib", "/usr/X11R6/lib64"],
  /** Where the modules are in one of these directories, in search order. */
  places: [
    "",
    "/modules/updates/drivers",
    "/modules/updates/extensions",
    "/modules/drivers",
    "/modules/extensions",
  ],
} as const;

/**
 * NGX for Windows programs under Wine, which look for it below the directory of libGLX_nvidia.
 *
 * @see negativo17's package of driver 610.43.02; find_nvidia_wine_dll_dir() of ValveSoftware/Proton
 * @checked 2026-11-21
 */
export const WINE = { directory: "nvidia/wine", names: /^_?nvngx.*\.dll$/ } as const;

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
  /** The kernel's release, for which `*` stands. */
  release: "/proc/sys/kernel/osrelease",
  directories: ["/lib/firmware/updates/*", "/lib/firmware/updates", "/lib/firmware/*", "/lib/firmware"],
  /** Directory of the container, in which the driver looks. */
  target: "/lib/firmware",
  names: /^gsp.*\.bin$/,
} as const;

/**
 * The sockets of the driver's services. That of MPS is where config.toml says.
 *
 * @see src/nvc_info.c of libnvidia-container 1.19
 * @checked 2026-11-21
 */
export const SOCKETS: readonly {
  readonly path: string;
  readonly capability: DriverCapability;
}[] = [
  { path: "/run/nvidia-persistenced/socket", capability: "utility" },
  { path: "/run/nvidia-fabricmanager/socket", capability: "utility" },
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
