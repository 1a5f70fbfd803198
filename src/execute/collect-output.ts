import { CLOCK_MONOTONIC } from "../sys/constants.ts";
import type { Fd } from "../sys/fd.ts";
import type { Syscalls } from "../sys/syscalls.ts";

/** ldconfig prints a line for each library; images have thousands. */
const MAX_OUTPUT_BYTES = 256 * 1024;
const FIRST_BYTES = 16 * 1024;

/** Seconds on a clock that nobody sets: a board without a battery sets the time of day by years. */
export const now = (system: Syscalls): number => system.clock_gettime(CLOCK_MONOTONIC);

/**
 * Reads what a child prints until it closes the pipe. What is too much is read and dropped.
 *
 * @param deadline when to give up, as `now` counts.
 * @returns the text, or `undefined` when the time is over and the pipe still open.
 */
export function collectOutput(system: Syscalls, reader: Fd, deadline: number): string | undefined {
  let kept = new Uint8Array(FIRST_BYTES);
  const chunk = new Uint8Array(4096);
  for (let length = 0; ; ) {
    const left = deadline - now(system);
    if (left <= 0) return undefined;
    if (!system.ppoll(reader, Math.ceil(left * 1000))) continue;
    const count = system.read(reader, chunk);
    if (count === 0) return system.decode(kept, 0, length);
    if (length + count > kept.length && kept.length < MAX_OUTPUT_BYTES) {
      const larger = new Uint8Array(kept.length * 4);
      larger.set(kept);
      kept = larger;
    }
    const room = Math.min(count, kept.length - length);
    kept.set(chunk.subarray(0, room), length);
    length += room;
  }
}
