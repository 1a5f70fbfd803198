import { nearest } from "./nearest.ts";

/** The variables by which containers request GPUs. */
const VARIABLES = ["NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES"];

/** Returns a variable that looks like a request and is none, as it is set; `undefined` if there is none. */
export function nearMissOf(env: readonly string[]): string | undefined {
  return env.find((variable) => {
    const [name = ""] = variable.split("=", 1);
    return !VARIABLES.includes(name) && nearest(name.toUpperCase(), VARIABLES) !== undefined;
  });
}
