import { SWARM_PREFIX } from "../model/driver-capability.ts";
import { NvociError } from "../model/errors.ts";
import { quote } from "../text/quote.ts";

/** A container's environment by name. */
export type Environment = ReadonlyMap<string, string>;

/** Parses `NAME=value` entries. The last duplicate wins, as in the process; entries without `=` are ignored. */
export function parseEnvironment(env: readonly string[]): Environment {
  const environment = new Map<string, string>();
  for (const entry of env) {
    const equals = entry.indexOf("=");
    if (equals >= 0) environment.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return environment;
}

/** Characters of one value. Real values are far shorter, and execve(2) refuses strings of more than 128 KiB. */
export const MAX_VALUE_CHARACTERS = 65_536;

const ASKING_NAMES = ["NVIDIA_", SWARM_PREFIX, "CUDA_VERSION"];

/**
 * Checks the length of the variables that make up a request. A long one is an error: ignoring it would give the
 * container something other than it requests, or run it on a host that does not meet its requirements.
 *
 * @throws {NvociError} "request-invalid" when a value is longer than {@link MAX_VALUE_CHARACTERS}.
 */
export function checkValueLengths(environment: Environment): void {
  for (const [name, value] of environment) {
    if (value.length <= MAX_VALUE_CHARACTERS || !ASKING_NAMES.some((start) => name.startsWith(start)))
      continue;
    throw new NvociError(
      "request-invalid",
      `Cannot read the container's variable ${quote(name)}: its value is longer than ${MAX_VALUE_CHARACTERS} characters`,
    );
  }
}

/** The values of `NVIDIA_REQUIRE_JETPACK` that select manifests; any other is ignored. */
const VALUES: Readonly<Record<string, "all" | "base">> = {
  "csv-mounts=all": "all",
  "csv-mounts=base": "base",
  "base-only": "base",
};

/** Returns which manifests an image selects on Jetson, or `undefined`. */
export function parseCsvMounts(environment: Environment): "all" | "base" | undefined {
  const value = environment.get("NVIDIA_REQUIRE_JETPACK") ?? "";
  return Object.hasOwn(VALUES, value) ? VALUES[value] : undefined;
}
