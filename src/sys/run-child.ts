import { CLOCK_MONOTONIC, SIGKILL, WNOHANG } from "./constants.ts";
import type { StepList } from "./step-list.ts";
import type { ExitStatus, Fd, Syscalls } from "./syscalls.ts";

/** ldconfig prints a line for each library; images have thousands. */
const MAX_OUTPUT_BYTES = 256 * 1024;
const FIRST_BYTES = 16 * 1024;

/** Seconds on a clock that nobody sets: a board without a battery sets the time of day by years. */
const now = (system: Syscalls): number => system.clock_gettime(CLOCK_MONOTONIC);

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

/** A child that runs, and the calls that it makes first. */
interface StartedChild {
  readonly pid: number;
  readonly steps: StepList;
}

/** What a child left. */
interface EndedChild {
  /** The prepared call that failed; the program was never run then. */
  readonly failure: { readonly call: string; readonly errno: number } | undefined;
  /** What it printed; `undefined` when it had to be killed because its time was over. */
  readonly words: string | undefined;
  readonly status: ExitStatus;
}

/** In seconds. A killed process ends at once, unless the kernel itself waits for somebody on its behalf. */
const GRACE = 2;
/** In milliseconds, where the kernel cannot say when a process has ended. */
const PAUSE = 1;

/**
 * Starts a child, reads what it prints, and waits for its end. Its output and its end have one deadline together: a
 * program may close its output and go on. A child that is late is killed, and with it everything that it started
 * where it is the first of a pid namespace. Nothing here waits without an end.
 *
 * @param seconds how long it may take.
 * @param start prepares the calls and starts them. Its `output` is for the child's standard output and error, its
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

/** What the child wrote about a prepared call of its own. */
function readFailure(system: Syscalls, report: Fd, steps: StepList): EndedChild["failure"] {
  const bytes = new Uint8Array(8);
  if (!system.ppoll(report, 0) || system.read(report, bytes) !== bytes.length) return undefined;
  const view = new DataView(bytes.buffer);
  return { call: steps.nameOf(view.getInt32(0, true)), errno: view.getInt32(4, true) };
}

/** @returns `undefined` when the time is over and the child still there. */
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

/** Kills a child. One that the kernel does not let go is left to it, and to whoever collects our children. */
function endNow(system: Syscalls, pid: number): ExitStatus {
  system.kill(pid, SIGKILL);
  return awaitEnd(system, pid, now(system) + GRACE) ?? { signalled: SIGKILL };
}
