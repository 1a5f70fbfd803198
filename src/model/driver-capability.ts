/** Prefix of the variables that Docker swarm sets for generic resources. */
export const SWARM_PREFIX = "DOCKER_RESOURCE_";

/** A part of the driver that a container can request, by NVIDIA's name. */
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

/** Capabilities that need another one: video decoders run on libcuda, a display shows what graphics draws. */
const IMPLIED: Readonly<Partial<Record<DriverCapability, DriverCapability>>> = {
  video: "compute",
  display: "graphics",
};

/** Returns the capabilities and those that they need. */
export function withImplied(capabilities: readonly DriverCapability[]): ReadonlySet<DriverCapability> {
  const all = new Set(capabilities);
  for (const capability of capabilities) {
    const implied = IMPLIED[capability];
    if (implied !== undefined) all.add(implied);
  }
  return all;
}
