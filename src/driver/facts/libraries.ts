import type { DriverCapability } from "../../model/driver-capability.ts";
import type { Machine } from "../../model/machine.ts";

/** A library of the driver, and the capabilities that include it. */
export interface DriverLibrary {
  /** The file's name up to and including `.so`. */
  readonly name: string;
  /** A container with any of these gets it. */
  readonly capabilities: readonly DriverCapability[];
  /** The capability does not work without it. */
  readonly essential?: true;
  /** The file's name ends with the library's own version, not the driver's. */
  readonly ownVersion?: true;
  /** Other vendors have a library of this name; it is NVIDIA's if it needs another library of the driver. */
  readonly vendorNeutral?: true;
}

const library = (
  name: string,
  capabilities: readonly DriverCapability[],
  rest: Partial<DriverLibrary> = {},
): DriverLibrary => ({ name, capabilities, ...rest });

const UTILITY = ["utility"] as const;
const COMPUTE = ["compute"] as const;
const VIDEO = ["video"] as const;
const GRAPHICS = ["graphics"] as const;
const BOTH = ["compute", "graphics"] as const;
const OWN_VERSION = { ownVersion: true } as const;
const VENDOR_NEUTRAL = { vendorNeutral: true } as const;

/**
 * The driver's libraries. Left out on purpose: the vendor-neutral loaders of GLVND, which belong to the image.
 *
 * @see "Installed Components" in the README of NVIDIA's driver; src/nvc_info.c of libnvidia-container 1.19; negativo17's
 * package of driver 610.43.02
 * @checked 2026-11-21
 */
export const DRIVER_LIBRARIES: readonly DriverLibrary[] = [
  library("libnvidia-ml.so", UTILITY, { essential: true }),
  library("libnvidia-cfg.so", UTILITY),
  library("libnvidia-nscq.so", UTILITY),
  library("libnvidia-sandboxutils.so", UTILITY),
  library("libnvsdm.so", UTILITY),

  library("libcuda.so", COMPUTE, { essential: true }),
  library("libcudadebugger.so", COMPUTE),
  library("libnvidia-opencl.so", COMPUTE),
  library("libnvidia-gpucomp.so", BOTH),
  library("libnvidia-ptxjitcompiler.so", COMPUTE),
  library("libnvidia-fatbinaryloader.so", COMPUTE),
  library("libnvidia-allocator.so", BOTH),
  library("libnvidia-compiler.so", COMPUTE),
  library("libnvidia-pkcs11.so", COMPUTE),
  library("libnvidia-pkcs11-openssl3.so", COMPUTE),
  library("libnvidia-nvvm.so", COMPUTE),
  library("libnvidia-nvvm70.so", COMPUTE, OWN_VERSION),
  library("libnvidia-tileiras.so", COMPUTE),
  library("libnvcuextend.so", COMPUTE),

  library("libnvidia-ngx.so", ["ngx"]),

  library("libvdpau_nvidia.so", VIDEO),
  library("libnvidia-encode.so", VIDEO),
  library("libnvidia-opticalflow.so", VIDEO),
  library("libnvcuvid.so", VIDEO),

  library("libnvidia-eglcore.so", GRAPHICS, { essential: true }),
  library("libnvidia-glcore.so", GRAPHICS),
  library("libnvidia-tls.so", GRAPHICS),
  library("libnvidia-glsi.so", GRAPHICS),
  library("libnvidia-fbc.so", GRAPHICS),
  library("libnvidia-ifr.so", GRAPHICS),
  library("libnvidia-rtcore.so", GRAPHICS),
  library("libnvoptix.so", GRAPHICS),
  library("libGLX_nvidia.so", GRAPHICS),
  library("libEGL_nvidia.so", GRAPHICS),
  library("libGLESv2_nvidia.so", GRAPHICS),
  library("libGLESv1_CM_nvidia.so", GRAPHICS),
  library("libnvidia-glvkspirv.so", GRAPHICS),
  library("libnvidia-cbl.so", GRAPHICS),
  library("libnvidia-vulkan-producer.so", GRAPHICS),
  library("libnvidia-vksc-core.so", GRAPHICS),
  library("libnvidia-present.so", GRAPHICS),
  library("libnvidia-wayland-client.so", GRAPHICS),
  library("libnvidia-api.so", GRAPHICS, OWN_VERSION),
  library("libnvidia-egl-gbm.so", GRAPHICS, OWN_VERSION),
  library("libnvidia-egl-wayland.so", GRAPHICS, OWN_VERSION),
  library("libnvidia-egl-wayland2.so", GRAPHICS, OWN_VERSION),
  library("libnvidia-egl-xcb.so", GRAPHICS, OWN_VERSION),
  library("libnvidia-egl-xlib.so", GRAPHICS, OWN_VERSION),

  // Drivers before 361 have these without GLVND.
  library("libGL.so", GRAPHICS, VENDOR_NEUTRAL),
  library("libEGL.so", GRAPHICS, VENDOR_NEUTRAL),
  library("libGLESv1_CM.so", GRAPHICS, VENDOR_NEUTRAL),
  library("libGLESv2.so", GRAPHICS, VENDOR_NEUTRAL),
];

/**
 * The capabilities of libraries that have the driver's version and no row above.
 *
 * @see getVersionLibs() in pkg/nvcdi/driver-nvml.go of NVIDIA/nvidia-container-toolkit 1.20: every `*.so.VERSION`
 * @checked 2026-11-21
 */
export const UNLISTED_CAPABILITIES: readonly DriverCapability[] = ["compute", "graphics"];

/**
 * Libraries of the driver that no container needs: only the settings panel loads them.
 *
 * @see "Installed Components" in the README of NVIDIA's driver
 * @checked 2026-11-21
 */
export const LEFT_OUT_LIBRARIES: readonly string[] = ["libnvidia-gtk2.so", "libnvidia-gtk3.so"];

/**
 * A library that needs one of these is NVIDIA's.
 *
 * @see src/nvc_info.c of libnvidia-container 1.19
 * @checked 2026-11-21
 */
export const VENDOR_LIBRARIES: readonly string[] = ["libnvidia-glcore.so", "libnvidia-eglcore.so"];

/**
 * Links that programs expect beside a library and ldconfig does not make.
 *
 * @see src/nvc_mount.c of libnvidia-container 1.17; "Installed Components" in the README of NVIDIA's driver
 * @checked 2026-11-21
 */
export const LIBRARY_LINKS: readonly {
  /** Prefix of the library's file name. */
  readonly library: string;
  /** Path of the link, relative to the library's directory. */
  readonly name: string;
  /** The link's text; `*` is the library's file name. */
  readonly target: string;
}[] = [
  { library: "libcuda.so", name: "libcuda.so", target: "libcuda.so.1" },
  { library: "libGLX_nvidia.so", name: "libGLX_indirect.so.0", target: "*" },
  {
    library: "libnvidia-opticalflow.so",
    name: "libnvidia-opticalflow.so",
    target: "libnvidia-opticalflow.so.1",
  },
  { library: "libvdpau_nvidia.so", name: "vdpau/libvdpau_nvidia.so.1", target: "../*" },
];

/**
 * Library directories of hosts that have no cache, or whose cache does not list the driver.
 *
 * @see pkg/lookup/library.go of NVIDIA/nvidia-container-toolkit 1.20; packages of Debian, Ubuntu, Fedora and NixOS
 * @checked 2026-11-21
 */
export const libraryDirectories = ({ triplet, compat32 }: Machine): readonly string[] => [
  "/usr/lib",
  "/usr/lib64",
  `/usr/lib/${triplet}`,
  `/usr/lib/${triplet}/nvidia/current`,
  "/usr/lib/nvidia",
  "/usr/lib32",
  `/usr/lib/${compat32.triplet}`,
  "/lib",
  "/lib64",
  "/usr/local/lib",
  "/usr/local/nvidia/lib64",
  "/run/opengl-driver/lib",
  "/run/opengl-driver-32/lib",
  "/run/current-system/profile/lib",
];
