import type { CheckArguments, CheckCode, Command } from "../model/check.ts";

/*
 * Types and fragments of the words for doctor's results, which are in two files for their length.
 */

/** The words for a result. */
export interface Words {
  /** What was found. */
  readonly text: string;
  /** What it means for containers, if that is not in the text. */
  readonly means?: string;
  /** The commands that mend it, one after the other. */
  readonly fix?: readonly Command[];
  /** Further lines: what it is about on request, or what is wrong line by line. */
  readonly details?: readonly string[];
  /** Names that `--verbose` adds. */
  readonly names?: readonly string[];
}

/** A function for each code that words its arguments. */
export type CheckWording = { readonly [C in CheckCode]: (args: CheckArguments[C]) => Words };

/** Returns the command that mends something, where it is known. */
export const optional = (fix: Command | undefined): Pick<Words, "fix"> =>
  fix === undefined ? {} : { fix: [fix] };
/** Returns an error's hint as what it means. */
export const hinted = (hint: string | undefined): Pick<Words, "means"> =>
  hint === undefined ? {} : { means: hint };

/** What most failures mean. */
export const SHARED = "every container that requests GPUs fails to start";
/** What a missing library means. */
export const NO_CUDA = "programs with CUDA fail in every container";

/** Returns a command without quotes as words. */
export const split = (command: string): Command => command.split(" ");
