import type { HostView } from "../model/host-view.ts";
import type { Syscalls } from "../sys/syscalls.ts";

/** What a command works with. */
export interface CommandContext {
  readonly system: Syscalls;
  readonly host: HostView;
  /** The process' own environment, `NAME=value`. */
  readonly environ: readonly string[];
  /** Writes lines to standard output, each with its line break. */
  readonly print: (lines: readonly string[]) => void;
}

/** What the command line asks for, ready to run; gives the exit status. */
export type Run = (context: CommandContext) => number;

/** Takes what was chosen. Parsing and running are apart, so that a command's error is never taken for a usage error. */
export type Choose = (run: Run) => void;
