import type { Environment } from "./environment.ts";

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
