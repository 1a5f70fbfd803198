import { splitList } from "../model/split-list.ts";
import { SWARM_PREFIX } from "../model/swarm-prefix.ts";
import type { AskingSpec } from "./asking-spec.ts";
import { LONGEST_VALUE, readEnvironment } from "./environment.ts";
import { isLegacyImage } from "./legacy-image.ts";
import { asksForDevices } from "./visible-devices.ts";
import { isDeviceMount } from "./volume-mounts.ts";

/**
 * Whether a container can be asking for GPUs, before the configuration is read. False means that no configuration
 * makes it ask, save one whose `swarm-resource` names a variable that swarm does not set.
 */
export function mayAsk(spec: AskingSpec): boolean {
  if (spec.mounts.some(isDeviceMount)) return true;
  if (spec.env.some((entry) => entry.startsWith(SWARM_PREFIX))) return true;
  const environment = readEnvironment(spec.env);
  const value = environment.get("NVIDIA_VISIBLE_DEVICES");
  if (value === undefined) return isLegacyImage(environment);
  // A longer one is refused by whoever resolves the request.
  return value.length > LONGEST_VALUE || asksForDevices(splitList(value));
}
