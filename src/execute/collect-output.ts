import { CLOCK_MONOTONIC } from "../sys/constants.ts";
import type { Fd } from "../sys/fd.ts";
import type { Syscalls } from "../sys/syscalls.ts";

const MAX_OUTPUT_BYTES = 64 * 1024;

/**
 * Reads what a child prints until it closes the pipe. What is too much is read and dropped.
 *
 * @param seconds how long to wait at most.
 * @returns the text, or `undefined` when the time is over and the pipe still open.
 */
export function collectOutput(system: Syscalls, reader: Fd, seconds: number): string | undefined {
  // Not the time of day: a board without a battery sets that once it has a network, by years.
  const deadline = system.clock_gettime(CLOCK_MONOTONIC) + seconds;
  const kept = new Uint8Array(MAX_OUTPUT_BYTES);
  const chunk = new Uint8Array(4096);
  for (let length = 0; ; ) {
    const left = deadline - system.clock_gettime(CLOCK_MONOTONIC);
    if (left <= 0) return undefined;
    if (!system.ppoll(reader, Math.ceil(left * 1000))) continue;
    const count = system.read(reader, chunk);
    if (count === 0) return system.decode(kept, 0, length);
    const room = Math.min(count, kept.length - length);
    kept.set(chunk.subarray(0, room), length);
    length += room;
  }
}
