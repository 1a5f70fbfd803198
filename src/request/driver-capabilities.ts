import type { DriverCapability } from "../model/driver-capability.ts";
import { NvociError } from "../model/errors.ts";
import { quote } from "../model/quote.ts";
import { splitList } from "../model/split-list.ts";

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
export function readDriverCapabilities(
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
