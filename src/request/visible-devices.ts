import { SWARM_PREFIX } from "../model/driver-capability.ts";
import { NvociError } from "../model/errors.ts";
import { hasControlCharacter, quote, splitList } from "../text/quote.ts";
import { MAX_VALUE_CHARACTERS, parseEnvironment } from "./environment.ts";
import type { RequestSource, VisibleDevices } from "./request.ts";
import { isLegacyImage } from "./requirement-texts.ts";
import { isDeviceMount } from "./volume-mounts.ts";

/** Reports whether a list of devices requests anything: it is not empty and does not contain `void`. */
export const requestsDevices = (words: readonly string[]): boolean =>
  words.length > 0 && !words.includes("void");

/** The kind of the toolkit's devices in its mode jit-cdi. */
const JIT_CDI_KIND = "runtime.nvidia.com/gpu";

/**
 * Parses a list of devices. The first `all` (in any case) or `none` decides; an empty list and one that contains
 * `void` request nothing.
 *
 * CDI names of the given kind, and of the one that the toolkit itself makes, lose the kind: `nvidia.com/gpu=0` becomes
 * `0`.
 *
 * @param words the items of the list, trimmed and not empty.
 * @param source the variables, or `volume-mounts`, for the error.
 * @param cdiKind `nvidia.com/gpu`
 * @returns `undefined` when the list requests nothing.
 * @throws {NvociError} "request-invalid" when a name is empty or contains control characters.
 */
export function parseVisibleDevices(
  words: readonly string[],
  source: string,
  cdiKind: string,
): VisibleDevices | undefined {
  if (!requestsDevices(words)) return undefined;
  const ids = new Set<string>();
  for (const word of words) {
    const kind = [cdiKind, JIT_CDI_KIND].find((one) => word.startsWith(`${one}=`));
    const id = kind === undefined ? word : word.slice(kind.length + 1);
    if (id.toLowerCase() === "all") return { kind: "all" };
    if (id === "none") return { kind: "none" };
    if (id === "" || hasControlCharacter(id)) {
      throw new NvociError(
        "request-invalid",
        `Cannot use the device ${quote(word)} (${source}): this is not a device name`,
      );
    }
    ids.add(id);
  }
  return { kind: "list", ids: [...ids] };
}

/**
 * Reports whether a container may request GPUs, before the configuration is read. If it returns `false`, the
 * container requests none under any configuration, except one whose `swarm-resource` names a variable that swarm
 * never sets.
 */
export function mayRequestGpus(spec: RequestSource): boolean {
  if (spec.mounts.some(isDeviceMount)) return true;
  if (spec.env.some((entry) => entry.startsWith(SWARM_PREFIX))) return true;
  const environment = parseEnvironment(spec.env);
  const value = environment.get("NVIDIA_VISIBLE_DEVICES");
  if (value === undefined) return isLegacyImage(environment);
  // resolveRequest() refuses a longer one.
  return value.length > MAX_VALUE_CHARACTERS || requestsDevices(splitList(value));
}

/**
 * The config.json of every container that requests GPUs contains one of these: {@link mayRequestGpus} needs no
 * other.
 */
const NAMES = ["NVIDIA_VISIBLE_DEVICES", "CUDA_VERSION", "nvidia-container-devices", SWARM_PREFIX];

/**
 * Reports whether the text of a config.json may request GPUs. Without any of the names no parser finds a request.
 */
export const namesGpus = (text: string): boolean => NAMES.some((name) => text.includes(name));
