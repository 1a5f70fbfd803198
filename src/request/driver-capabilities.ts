import type { DriverCapability } from "../model/driver-capability.ts";
import { NvociError } from "../model/errors.ts";
import { quote, splitList } from "../text/quote.ts";
import type { Environment } from "./environment.ts";

/**
 * Parses a variable that lets a container manage multi-instance GPUs. The only value is `all`, and only for a
 * container that has CAP_SYS_ADMIN.
 *
 * @throws {NvociError} "request-invalid" when the value is another one, or the container lacks CAP_SYS_ADMIN.
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

/** Parts of the data center software that a container requests one by one. */
export type ServerFeature = "gds" | "mofed" | "gdrcopy" | "nvswitch";

/** The variable that requests each feature when its value is `enabled`. */
export const FEATURE_VARIABLES: Readonly<Record<ServerFeature, string>> = {
  gds: "NVIDIA_GDS",
  mofed: "NVIDIA_MOFED",
  gdrcopy: "NVIDIA_GDRCOPY",
  nvswitch: "NVIDIA_NVSWITCH",
};

/** Returns the features that an environment requests. */
export const requestedFeatures = (environment: Environment): readonly ServerFeature[] =>
  (Object.keys(FEATURE_VARIABLES) as ServerFeature[]).filter(
    (name) => environment.get(FEATURE_VARIABLES[name]) === "enabled",
  );

const VARIABLE = "NVIDIA_DRIVER_CAPABILITIES";

/** The capabilities of a container that names none. */
const DEFAULT: readonly DriverCapability[] = ["compute", "utility"];

/**
 * Parses `NVIDIA_DRIVER_CAPABILITIES`. `all`, alone or in a list, means every supported capability. An empty list
 * means compute and utility, if they are supported. So does an unset variable, except that a legacy image gets
 * everything.
 *
 * @param supported the capabilities that the configuration allows.
 * @returns the capabilities in alphabetical order, without duplicates.
 * @throws {NvociError} "request-invalid" when a capability is not supported.
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
      `Cannot grant the driver capability ${quote(unsupported)} (${VARIABLE}): ${describe(supported)}`,
    );
  }
  return [...supported].sort().filter((capability) => words.includes("all") || words.includes(capability));
}

const describe = (supported: readonly DriverCapability[]): string =>
  supported.length === 0
    ? "supported-driver-capabilities in config.toml allows none"
    : `the supported ones are ${[...supported].sort().join(", ")}`;
