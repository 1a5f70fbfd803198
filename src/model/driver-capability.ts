/** A part of the driver that a container can ask for, in NVIDIA's words. */
export type DriverCapability = "compat32" | "compute" | "display" | "graphics" | "ngx" | "utility" | "video";

/**
 * Every driver capability, in alphabetical order.
 *
 * @see https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/docker-specialized.html
 */
export const DRIVER_CAPABILITIES: readonly DriverCapability[] = [
  "compat32",
  "compute",
  "display",
  "graphics",
  "ngx",
  "utility",
  "video",
];
