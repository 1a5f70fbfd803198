import type { HostView } from "../model/host-view.ts";
import type { HostPath } from "../model/paths.ts";
import type { Spec } from "../oci/spec.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import type { Decision } from "./decide.ts";

/** What a command works with. */
export interface CommandContext {
  readonly system: Syscalls;
  readonly host: HostView;
  /** The process' own environment, `NAME=value`. */
  readonly environ: readonly string[];
  /**
   * Decides about a container as the hook does.
   *
   * @param root the container's root; none stands for a Debian image.
   * @param config the value of `--config`.
   */
  readonly decide: (spec: Spec, root: HostPath | undefined, config: string | undefined) => Decision;
  /** Writes lines to standard output, each with its line break. */
  readonly print: (lines: readonly string[]) => void;
}

/** What the command line asks for, ready to run; gives the exit status. */
export type Run = (context: CommandContext) => number;

/** Takes what was chosen. Parsing and running are apart, so that a command's error is never taken for a usage error. */
export type Choose = (run: Run) => void;
