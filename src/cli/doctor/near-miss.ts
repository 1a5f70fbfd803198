import { nearest } from "./nearest.ts";

/** The variables by which containers request GPUs. */
const VARIABLES = ["NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES"];

/**
 * Returns a variable that looks like a request and is not read, as it is set; `undefined` if there is none.
 *
 * @param wanted the variables that it may look like.
 */
export function nearMissOf(
  env: readonly string[],
  wanted: readonly string[] = VARIABLES,
): string | undefined {
  return env.find((variable) => {
    const [name = ""] = variable.split("=", 1);
    return !VARIABLES.includes(name) && nearest(name.toUpperCase(), wanted) !== undefined;
  });
}
