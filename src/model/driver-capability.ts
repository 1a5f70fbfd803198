/** What the name of every variable that Docker swarm sets for a generic resource starts with. */
export const SWARM_PREFIX = "DOCKER_RESOURCE_";

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

/** What a capability brings along: video decoders run on libcuda, a display shows what graphics draws. */
const IMPLIED: Readonly<Partial<Record<DriverCapability, DriverCapability>>> = {
  video: "compute",
  display: "graphics",
};

/** The capabilities asked for and those they bring along. */
export function withImplied(capabilities: readonly DriverCapability[]): ReadonlySet<DriverCapability> {
  const all = new Set(capabilities);
  for (const capability of capabilities) {
    const implied = IMPLIED[capability];
    if (implied !== undefined) all.add(implied);
  }
  return all;
}
