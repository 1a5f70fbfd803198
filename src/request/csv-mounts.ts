import type { Environment } from "./environment.ts";

/** The values of `NVIDIA_REQUIRE_JETPACK` that say something, exactly as written. */
const VALUES: Readonly<Record<string, "all" | "base">> = {
  "csv-mounts=all": "all",
  "csv-mounts=base": "base",
  "base-only": "base",
};

/** Which manifests an image wants on Jetson; nothing where it does not say. */
export function readCsvMounts(environment: Environment): "all" | "base" | undefined {
  const value = environment.get("NVIDIA_REQUIRE_JETPACK") ?? "";
  return Object.hasOwn(VALUES, value) ? VALUES[value] : undefined;
}
