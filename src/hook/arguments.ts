import { NvociError } from "../model/errors.ts";
import { parseBoolean, quote } from "../text/quote.ts";

/** The hook's command line, as nvidia-container-runtime-hook takes it. */
interface HookArguments {
  /** Stage name, or what was given in its place; absent when nothing was given. */
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
  -debug         say on standard error what was skipped and why
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
 * Reads options in the manner of Go's flag package, which existing callers rely on: one dash or two, `-x V` or
 * `-x=V`, and none after the first word that is no option.
 *
 * @throws NvociError "usage"
 */
export function parseHookArguments(words: readonly string[]): HookArguments {
  const found: Record<string, string | boolean> = {};
  let at = 0;
  for (; at < words.length; at++) {
    const [, name, , value] = /^--?([^=-][^=]*)(=(.*))?$/s.exec(words[at] as string) ?? [];
    if (name === undefined) break;
    if (SWITCHES.includes(name)) {
      found[name] = readSwitch(name, value);
    } else if (name === "config") {
      const file = value ?? words[++at];
      if (!file) throw usage('Cannot read the option "-config": it needs a file');
      found.config = file;
    } else {
      throw usage(`Cannot read the option ${quote(words[at] as string)}: there is no such option`);
    }
  }
  if (words[at] === "--") at++;
  const rest = words.slice(at);
  if (rest.length > 1) throw usage(`Cannot take ${quote(rest[1] as string)}: one stage is enough`);
  return {
    command: rest[0],
    config: typeof found.config === "string" ? found.config : undefined,
    debug: found.debug === true,
    version: found.version === true,
    help: found.help === true || found.h === true,
  };
}
