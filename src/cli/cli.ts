import { EXIT } from "../model/errors.ts";
import { STDERR, STDOUT } from "../sys/linux.ts";
import { linuxHost } from "../sys/linux-host.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";
import { parseCommandLine } from "./parse-command-line.ts";

/**
 * Runs the command line of people: everything but the hook and the runtime wrapper.
 *
 * @param words what follows the program's name.
 * @returns the exit status.
 * @throws NvociError "usage", or what the command throws.
 */
export function cli(system: Syscalls, words: readonly string[], environ: readonly string[]): number {
  if (words.length === 0) {
    const help = parseCommandLine(["--help"]);
    if ("text" in help) system.write(STDERR, `${help.text}\n`);
    return EXIT.usage;
  }
  const parsed = parseCommandLine(words);
  const print = (lines: readonly string[]): void => {
    if (lines.length > 0) system.write(STDOUT, `${lines.join("\n")}\n`);
  };
  try {
    if ("run" in parsed) return parsed.run({ system, host: linuxHost(system), environ, print });
    print([parsed.text]);
    return EXIT.done;
  } catch (error) {
    // The reader has seen enough, as head(1) has.
    if (error instanceof SystemError && error.reason === "EPIPE") return EXIT.done;
    throw error;
  }
}
