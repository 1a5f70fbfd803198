import { openImage } from "../execute/rootfs/root-view.ts";
import { EXIT } from "../model/errors.ts";
import { STDERR, STDOUT } from "../sys/linux.ts";
import { linuxHost } from "../sys/linux-host.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";
import { absolutePath, type CommandContext } from "./command.ts";
import { DEBIAN_IMAGE, decide } from "./imaginary-container.ts";
import { parseCommandLine } from "./parse-command-line.ts";

/**
 * Runs a command that a person types: every command but the hook and the runtime wrapper.
 *
 * @param words the arguments after the program's name.
 * @returns the exit status.
 * @throws {NvociError} "usage" when the arguments are invalid, or what the command throws.
 */
export function cli(system: Syscalls, words: readonly string[], environ: readonly string[]): number {
  if (words.length === 0) {
    const help = parseCommandLine(["--help"]);
    if ("text" in help) system.write(STDERR, `${help.text}\n`);
    return EXIT.usage;
  }
  const parsed = parseCommandLine(words);
  const context = commandContext(system, environ);
  try {
    if ("run" in parsed) return parsed.run(context);
    context.print([parsed.text]);
    return EXIT.done;
  } catch (error) {
    // The reader, such as head(1), has closed the pipe.
    if (error instanceof SystemError && error.reason === "EPIPE") return EXIT.done;
    throw error;
  }
}

function commandContext(system: Syscalls, environ: readonly string[]): CommandContext {
  const host = linuxHost(system);
  const context: CommandContext = {
    system,
    host,
    environ,
    decide(spec, root, option) {
      const image = root === undefined ? DEBIAN_IMAGE : openImage(system, root, processOf(root));
      const config = option === undefined ? undefined : absolutePath(host, option);
      return decide(spec, { host, image, arch: system.arch, environ, config });
    },
    runWords(words) {
      const parsed = parseCommandLine(words);
      return "run" in parsed ? parsed.run(context) : EXIT.usage;
    },
    print(lines) {
      if (lines.length > 0) system.write(STDOUT, `${lines.join("\n")}\n`);
    },
  };
  return context;
}

/** Returns the /proc directory of the process whose root it is, for the root of a running container. */
const processOf = (root: string): string | undefined => /^(\/proc\/\d+)\/root$/.exec(root)?.[1];
