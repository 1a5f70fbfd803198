import { SWARM_PREFIX } from "../model/driver-capability.ts";
import { NvociError } from "../model/errors.ts";
import { hasControlCharacter, quote, splitList } from "../text/quote.ts";
import { MAX_VALUE_CHARACTERS, parseEnvironment } from "./environment.ts";
import type { RequestSource, VisibleDevices } from "./request.ts";
import { isLegacyImage } from "./requirement-texts.ts";
import { isDeviceMount } from "./volume-mounts.ts";

/** Whether a list of devices asks for anything: not when it is empty or has `void` in it, wherever that stands. */
export const requestsDevices = (words: readonly string[]): boolean =>
  words.length > 0 && !words.includes("void");

/**
 * Reads a list of devices. The first of `all` (in any case) and `none` decides; `void` anywhere and an empty list
 * ask for nothing.
 *
 * Names of the Container Device Interface of the given kind lose the kind: `nvidia.com/gpu=0` is `0`.
 *
 * @param words trimmed and not empty.
 * @param source the variables, or `volume-mounts`, for the error.
 * @param cdiKind `nvidia.com/gpu`
 * @returns nothing where the list asks for nothing.
 * @throws NvociError `request-invalid` for a name with control characters.
 */
export function parseVisibleDevices(
  words: readonly string[],
  source: string,
  cdiKind: string,
): VisibleDevices | undefined {
  if (!requestsDevices(words)) return undefined;
  const ids = new Set<string>();
  for (const word of words) {
    const id = word.startsWith(`${cdiKind}=`) ? word.slice(cdiKind.length + 1) : word;
    if (id.toLowerCase() === "all") return { kind: "all" };
    if (id === "none") return { kind: "none" };
    if (id === "" || hasControlCharacter(id)) {
      throw new NvociError(
        "request-invalid",
        `Cannot use device ${quote(word)} of ${source}: this is no name of a device`,
      );
    }
    ids.add(id);
  }
  return { kind: "list", ids: [...ids] };
}

/**
 * Whether a container can be asking for GPUs, before the configuration is read. False means that no configuration
 * makes it ask, save one whose `swarm-resource` names a variable that swarm does not set.
 */
export function mayRequestGpus(spec: RequestSource): boolean {
  if (spec.mounts.some(isDeviceMount)) return true;
  if (spec.env.some((entry) => entry.startsWith(SWARM_PREFIX))) return true;
  const environment = parseEnvironment(spec.env);
  const value = environment.get("NVIDIA_VISIBLE_DEVICES");
  if (value === undefined) return isLegacyImage(environment);
  // A longer one is refused by whoever resolves the request.
  return value.length > MAX_VALUE_CHARACTERS || requestsDevices(splitList(value));
}

/** A container that asks has one of them in its config.json, whoever reads it: `mayAsk()` looks for no other. */
const NAMES = ["NVIDIA_VISIBLE_DEVICES", "CUDA_VERSION", "nvidia-container-devices", SWARM_PREFIX];

/** Whether the text of a config.json names GPUs at all. Without any of the names nobody can read it as asking. */
export const namesGpus = (text: string): boolean => NAMES.some((name) => text.includes(name));
