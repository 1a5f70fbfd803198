import type { DriverCapability } from "../model/driver-capability.ts";
import { NvociError } from "../model/errors.ts";
import { quote, splitList } from "../text/quote.ts";
import type { Environment } from "./environment.ts";

/**
 * Reads a variable that hands the management of multi-instance GPUs to a container. Only `all` is possible, and
 * only for a container that could take it anyway.
 *
 * @throws NvociError `request-invalid` for another value, or without privileges.
 */
export function parseMigDevices(
  environment: Environment,
  variable: "NVIDIA_MIG_CONFIG_DEVICES" | "NVIDIA_MIG_MONITOR_DEVICES",
  privileged: boolean,
): "all" | undefined {
  const value = (environment.get(variable) ?? "").trim();
  if (value === "") return undefined;
  if (!privileged) {
    throw new NvociError(
      "request-invalid",
      `Cannot grant ${variable}=${quote(value)}: the container lacks the capability CAP_SYS_ADMIN`,
    );
  }
  if (value.toLowerCase() === "all") return "all";
  throw new NvociError("request-invalid", `Cannot grant ${variable}=${quote(value)}: the value must be all`);
}

/** Parts of the data-centre software that a container asks for one by one. */
export type ServerFeature = "gds" | "mofed" | "gdrcopy" | "nvswitch";

/** The variable that asks for each, when its value is `enabled`. */
export const FEATURE_VARIABLES: Readonly<Record<ServerFeature, string>> = {
  gds: "NVIDIA_GDS",
  mofed: "NVIDIA_MOFED",
  gdrcopy: "NVIDIA_GDRCOPY",
  nvswitch: "NVIDIA_NVSWITCH",
};

/** The features that an environment asks for. */
export const requestedFeatures = (environment: Environment): readonly ServerFeature[] =>
  (Object.keys(FEATURE_VARIABLES) as ServerFeature[]).filter(
    (name) => environment.get(FEATURE_VARIABLES[name]) === "enabled",
  );

const VARIABLE = "NVIDIA_DRIVER_CAPABILITIES";

/** What a container gets that names no capability. */
const DEFAULT: readonly DriverCapability[] = ["compute", "utility"];

/**
 * Reads `NVIDIA_DRIVER_CAPABILITIES`. `all`, alone or in a list, is everything that is supported; an empty list is
 * compute and utility, as far as supported; so is no list, except for a legacy image, which then gets everything.
 *
 * @param supported what the configuration allows.
 * @returns in alphabetical order, each once.
 * @throws NvociError `request-invalid` for a word that is not supported.
 */
export function parseDriverCapabilities(
  value: string | undefined,
  legacyImage: boolean,
  supported: readonly DriverCapability[],
): readonly DriverCapability[] {
  if (value === undefined && legacyImage) return [...supported].sort();
  const words = splitList(value ?? "");
  if (words.length === 0) return DEFAULT.filter((capability) => supported.includes(capability));
  const unsupported = words.find((word) => word !== "all" && !supported.some((known) => known === word));
  if (unsupported !== undefined) {
    throw new NvociError(
      "request-invalid",
      `Cannot grant driver capability ${quote(unsupported)} of ${VARIABLE}: ${describe(supported)}`,
    );
  }
  return [...supported].sort().filter((capability) => words.includes("all") || words.includes(capability));
}

const describe = (supported: readonly DriverCapability[]): string =>
  supported.length === 0
    ? "supported-driver-capabilities in config.toml allows none"
    : `supported are ${[...supported].sort().join(", ")}`;
