import { CLOCK_MONOTONIC, SIGKILL, WNOHANG } from "./constants.ts";
import type { StepList } from "./step-list.ts";
import type { ExitStatus, Fd, Syscalls } from "./syscalls.ts";

/** Limit on kept output. ldconfig prints a line for each library, and images have thousands. */
const MAX_OUTPUT_BYTES = 256 * 1024;
const FIRST_BYTES = 16 * 1024;

/** Returns the seconds on the monotonic clock. A board without a battery may set the time of day forward by years. */
const now = (system: Syscalls): number => system.clock_gettime(CLOCK_MONOTONIC);

/**
 * Reads a child's output until it closes the pipe. Output beyond the limit is discarded.
 *
 * @param deadline when to give up, in seconds on the clock of `now`.
 * @returns the text, or `undefined` when the deadline passes before the pipe is closed.
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

/** A running child, and the calls that it makes before execve(2). */
interface StartedChild {
  readonly pid: number;
  readonly steps: StepList;
}

/** The result of a child. */
interface EndedChild {
  /** The prepared call that failed, in which case the program did not run. */
  readonly failure: { readonly call: string; readonly errno: number } | undefined;
  /** Its output, or `undefined` when it was killed because it exceeded its time. */
  readonly words: string | undefined;
  readonly status: ExitStatus;
}

/** Seconds to wait for a killed process. It ends at once unless it is blocked in the kernel. */
const GRACE = 2;
/** Milliseconds between two checks when the kernel lacks pidfd_open(2). */
const PAUSE = 1;

/**
 * Starts a child, reads its output, and waits for its end. One deadline covers both, because a program may close its
 * output and keep running. A child that exceeds it is killed; if it is the first of a pid namespace, everything that it
 * started is killed too. Every wait is bounded.
 *
 * @param seconds how long the child may take.
 * @param start prepares the calls and starts the child. `output` is for the child's standard output and error,
 * `report` for `Syscalls.spawn`.
 */
export function runChild(
  system: Syscalls,
  seconds: number,
  start: (output: Fd, report: Fd) => StartedChild,
): EndedChild {
  const output = system.pipe2();
  const report = system.pipe2();
  const { pid, steps } = start(output.writer, report.writer);
  const deadline = now(system) + seconds;
  let status: ExitStatus | undefined;
  try {
    system.close(output.writer);
    system.close(report.writer);
    const printed = collectOutput(system, output.reader, deadline);
    status = printed === undefined ? undefined : awaitEnd(system, pid, deadline);
    const words = status === undefined ? undefined : printed;
    status ??= endNow(system, pid);
    return { failure: readFailure(system, report.reader, steps), words, status };
  } finally {
    if (status === undefined) endNow(system, pid);
    system.close(output.reader);
    system.close(report.reader);
  }
}

/** Reads the child's report about a prepared call that failed. */
function readFailure(system: Syscalls, report: Fd, steps: StepList): EndedChild["failure"] {
  const bytes = new Uint8Array(8);
  if (!system.ppoll(report, 0) || system.read(report, bytes) !== bytes.length) return undefined;
  const view = new DataView(bytes.buffer);
  return { call: steps.nameOf(view.getInt32(0, true)), errno: view.getInt32(4, true) };
}

/** Waits for the child's end. @returns `undefined` when the deadline passes first. */
function awaitEnd(system: Syscalls, pid: number, deadline: number): ExitStatus | undefined {
  const pidfd = system.pidfd_open(pid);
  try {
    for (;;) {
      const status = system.wait4(pid, WNOHANG);
      const left = deadline - now(system);
      if (status !== undefined || left <= 0) return status;
      system.ppoll(pidfd, pidfd === undefined ? PAUSE : Math.ceil(left * 1000));
    }
  } finally {
    if (pidfd !== undefined) system.close(pidfd);
  }
}

/** Kills a child. A child that is blocked in the kernel is left to init or a subreaper. */
function endNow(system: Syscalls, pid: number): ExitStatus {
  system.kill(pid, SIGKILL);
  return awaitEnd(system, pid, now(system) + GRACE) ?? { signalled: SIGKILL };
}
