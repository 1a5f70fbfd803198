import type { CommandContext } from "../../../src/cli/command.ts";
import { parseCommandLine } from "../../../src/cli/parse-command-line.ts";

/**
 * Parses a command line and runs its command.
 *
 * @returns the exit status.
 * @throws Error if the command line only prints a text.
 */
export function runWords(words: readonly string[], context: CommandContext): number {
  const parsed = parseCommandLine(words);
  if ("run" in parsed) return parsed.run(context);
  throw new Error(`no command in ${words.join(" ")}`);
}
