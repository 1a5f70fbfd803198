import { SIGKILL } from "../sys/constants.ts";
import type { Fd } from "../sys/fd.ts";
import type { StepList } from "../sys/step-list.ts";
import type { ExitStatus, Syscalls } from "../sys/syscalls.ts";
import { collectOutput } from "./collect-output.ts";

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

/**
 * Starts a child, reads what it prints, and waits for its end. None is left behind, whatever fails.
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
  try {
    system.close(output.writer);
    system.close(report.writer);
    const words = collectOutput(system, output.reader, seconds);
    if (words === undefined) system.kill(pid, SIGKILL);
    const bytes = new Uint8Array(8);
    const failed = system.read(report.reader, bytes) === bytes.length;
    const status = system.wait4(pid);
    const view = new DataView(bytes.buffer);
    const failure = failed
      ? { call: steps.nameOf(view.getInt32(0, true)), errno: view.getInt32(4, true) }
      : undefined;
    return { failure, words, status };
  } catch (error) {
    system.kill(pid, SIGKILL);
    system.wait4(pid);
    throw error;
  } finally {
    system.close(output.reader);
    system.close(report.reader);
  }
}
