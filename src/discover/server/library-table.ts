import type { DriverCapability } from "../../model/driver-capability.ts";

/** A library of the driver, and who gets it. */
export interface DriverLibrary {
  /** The file's name up to and with `.so`. */
  readonly name: string;
  /** Any of these gives it to the container. */
  readonly capabilities: readonly DriverCapability[];
  /** Without it the capability is worth nothing. */
  readonly essential?: true;
  /** The file does not end with the driver's version, but with one of its own. */
  readonly ownVersion?: true;
  /** Others make libraries of this name too; it is the driver's when it needs one of the driver's own. */
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
 * The driver's libraries. Left out on purpose: what only an X server or a settings panel loads, and the
 * vendor-neutral loaders of GLVND, which belong to the image.
 *
 * @see "Installed Components" in the README of NVIDIA's driver
 */
export const DRIVER_LIBRARIES: readonly DriverLibrary[] = [
  library("libnvidia-ml.so", UTILITY, { essential: true }),
  library("libnvidia-cfg.so", UTILITY),
  library("libnvidia-nscq.so", UTILITY),
  library("libnvidia-sandboxutils.so", UTILITY),

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
  library("libnvidia-egl-gbm.so", GRAPHICS, OWN_VERSION),
  library("libnvidia-egl-wayland.so", GRAPHICS, OWN_VERSION),
  library("libnvidia-egl-wayland2.so", GRAPHICS, OWN_VERSION),
  library("libnvidia-egl-xcb.so", GRAPHICS, OWN_VERSION),
  library("libnvidia-egl-xlib.so", GRAPHICS, OWN_VERSION),

  // Drivers before 361 had these without GLVND.
  library("libGL.so", GRAPHICS, VENDOR_NEUTRAL),
  library("libEGL.so", GRAPHICS, VENDOR_NEUTRAL),
  library("libGLESv1_CM.so", GRAPHICS, VENDOR_NEUTRAL),
  library("libGLESv2.so", GRAPHICS, VENDOR_NEUTRAL),
];

/** A library's name up to and with `.so`, as the table has it; the whole name when it is no library's. */
export function libraryStem(name: string): string {
  const at = name.indexOf(".so");
  return at < 0 ? name : name.slice(0, at + 3);
}
