import { NvociError } from "../../../src/model/errors.ts";

/** The NvociError that `action` throws; any other outcome fails the test. */
export function catchError(action: () => unknown): NvociError {
  try {
    action();
  } catch (error) {
    if (error instanceof NvociError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
