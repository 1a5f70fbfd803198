import { SWARM_PREFIX } from "../model/driver-capability.ts";
import { NvociError } from "../model/errors.ts";
import { quote } from "../text/quote.ts";

/** A container's environment by name. */
export type Environment = ReadonlyMap<string, string>;

/**
 * Reads `NAME=value` entries. Of duplicates the last one holds, as for the process itself; an entry without `=`
 * is none.
 */
export function parseEnvironment(env: readonly string[]): Environment {
  const environment = new Map<string, string>();
  for (const entry of env) {
    const equals = entry.indexOf("=");
    if (equals >= 0) environment.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return environment;
}

/** Characters of one value. execve(2) takes no string of more than 128 KiB, so that no program is kept from running. */
export const MAX_VALUE_CHARACTERS = 65_536;

const ASKING_NAMES = ["NVIDIA_", SWARM_PREFIX, "CUDA_VERSION"];

/**
 * Checks the variables by which a container asks. Passing over a long one would give the container something else than
 * it asks for, or run it on a host that does not meet its requirements, so it is an error.
 *
 * @throws NvociError `request-invalid` for a value that is longer than {@link MAX_VALUE_CHARACTERS}.
 */
export function checkValueLengths(environment: Environment): void {
  for (const [name, value] of environment) {
    if (value.length <= MAX_VALUE_CHARACTERS || !ASKING_NAMES.some((start) => name.startsWith(start)))
      continue;
    throw new NvociError(
      "request-invalid",
      `Cannot read ${quote(name)} of the container: its value is longer than ${MAX_VALUE_CHARACTERS} characters`,
    );
  }
}

/** The values of `NVIDIA_REQUIRE_JETPACK` that say something, exactly as written. */
const VALUES: Readonly<Record<string, "all" | "base">> = {
  "csv-mounts=all": "all",
  "csv-mounts=base": "base",
  "base-only": "base",
};

/** Which manifests an image wants on Jetson; nothing where it does not say. */
export function parseCsvMounts(environment: Environment): "all" | "base" | undefined {
  const value = environment.get("NVIDIA_REQUIRE_JETPACK") ?? "";
  return Object.hasOwn(VALUES, value) ? VALUES[value] : undefined;
}
