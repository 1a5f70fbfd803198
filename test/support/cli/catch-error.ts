import { NvociError } from "../../../src/model/errors.ts";

/** Returns the NvociError that `action` throws. Any other outcome fails the test. */
export function catchError(action: () => unknown): NvociError {
  try {
    action();
  } catch (error) {
    if (error instanceof NvociError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
