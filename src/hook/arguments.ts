import { NvociError } from "../model/errors.ts";
import { parseBoolean, quote } from "../text/quote.ts";

/** The hook's command line, with the options of nvidia-container-runtime-hook. */
interface HookArguments {
  /** The first argument, which should be a stage; absent when there is none. */
  readonly command: string | undefined;
  readonly config: string | undefined;
  readonly debug: boolean;
  readonly version: boolean;
  readonly help: boolean;
}

export const HOOK_USAGE = `Usage: nvoci hook [-debug] [-config FILE] STAGE

Injects the host's NVIDIA driver into the container whose OCI state is on standard input.

Stages:
  prestart, createRuntime   inject the driver
  poststart, poststop       nothing to do, exits with 0

Options, with one dash or two, before the stage:
  -config FILE   configuration file, instead of /etc/nvidia-container-runtime/config.toml
  -debug         report on standard error what was skipped and why
  -version       print the version
  -help          print this text`;

const usage = (message: string): NvociError =>
  new NvociError("usage", message, { output: HOOK_USAGE.split("\n") });

const SWITCHES = ["debug", "version", "help", "h"];

function readSwitch(name: string, value: string | undefined): boolean {
  const parsed = value === undefined ? true : parseBoolean(value);
  if (parsed !== undefined) return parsed;
  throw usage(`Cannot read the option "-${name}": ${quote(value ?? "")} is neither true nor false`);
}

/**
 * Parses the hook's command line as Go's flag package does, which existing callers rely on: one dash or two, `-x V` or
 * `-x=V`, and no options after the first argument that is not an option.
 *
 * @throws {NvociError} "usage" when an option or an argument is unknown.
 */
export function parseHookArguments(args: readonly string[]): HookArguments {
  const found: Record<string, string | boolean> = {};
  let at = 0;
  for (; at < args.length; at++) {
    const [, name, , value] = /^--?([^=-][^=]*)(=(.*))?$/s.exec(args[at] as string) ?? [];
    if (name === undefined) break;
    if (SWITCHES.includes(name)) {
      found[name] = readSwitch(name, value);
    } else if (name === "config") {
      const file = value ?? args[++at];
      if (!file) throw usage('Cannot read the option "-config": it requires a file');
      found.config = file;
    } else {
      throw usage(`Cannot read the option ${quote(args[at] as string)}: it is not an option of the hook`);
    }
  }
  if (args[at] === "--") at++;
  const rest = args.slice(at);
  if (rest.length > 1) throw usage(`Cannot accept ${quote(rest[1] as string)}: only one stage is allowed`);
  return {
    command: rest[0],
    config: typeof found.config === "string" ? found.config : undefined,
    debug: found.debug === true,
    version: found.version === true,
    help: found.help === true || found.h === true,
  };
}
