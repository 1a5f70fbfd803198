import { NvociError } from "../model/errors.ts";
import { quote } from "../model/quote.ts";
import type { Environment } from "./environment.ts";

/**
 * Reads a variable that hands the management of multi-instance GPUs to a container. Only `all` is possible, and
 * only for a container that could take it anyway.
 *
 * @throws NvociError `request-invalid` for another value, or without privileges.
 */
export function readMigDevices(
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
