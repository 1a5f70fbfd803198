import { NvociError } from "../model/errors.ts";
import { type HostPath, hostPath, join } from "../model/paths.ts";
import type { HostView } from "../model/views.ts";
import type { Spec } from "../oci/spec.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { quote } from "../text/quote.ts";
import type { Decision } from "./imaginary-container.ts";

/**
 * Returns the absolute form of a path from the command line.
 *
 * @throws {NvociError} "usage" when the path is empty, or is relative and the current directory no longer exists.
 */
export function absolutePath(host: HostView, text: string): HostPath {
  if (text.startsWith("/")) return hostPath(text);
  const directory = text === "" ? undefined : host.readLink(hostPath("/proc/self/cwd"));
  if (directory?.startsWith("/")) return join(directory, text) as HostPath;
  throw new NvociError("usage", `Cannot use the path ${quote(text)}: give an absolute one`);
}

/** Refuses an option that is given twice, for which yargs returns a list. */
const once =
  (name: string) =>
  (value: unknown): string | undefined => {
    if (Array.isArray(value)) throw new Error(`Option given more than once: ${name}`);
    return value as string | undefined;
  };

/** Returns the description of an option that takes one value and may be given once. */
export const textOption = (name: string, describe: string) =>
  ({ type: "string", requiresArg: true, coerce: once(name), describe }) as const;

/** The `--config` option of every command that reads config.toml. */
export const CONFIG_OPTION = textOption("config", "configuration file to read instead of the default one");

/** The `--env` option, whose values `readVariables` checks. */
export const ENV_OPTION = {
  type: "string",
  array: true,
  nargs: 1,
  describe: "variable NAME=value of the container; may be repeated",
} as const;

/** The `--json` option. */
export const JSON_OPTION = { type: "boolean", default: false, describe: "print one JSON document" } as const;

/** Returns the variables of `--env`. @throws {NvociError} "usage" when one is not `NAME=value`. */
export function readVariables(env: readonly string[] = []): readonly string[] {
  const wrong = env.find((entry) => !/^[^=]+=/.test(entry));
  if (wrong === undefined) return env;
  throw new NvociError("usage", `Cannot set the variable ${quote(wrong)}: write NAME=value`);
}

/** What a command can use. */
export interface CommandContext {
  readonly system: Syscalls;
  readonly host: HostView;
  /** The environment of this process, `NAME=value`. */
  readonly environ: readonly string[];
  /**
   * Plans for a container as the hook does.
   *
   * @param root the container's root; `undefined` stands for a Debian image.
   * @param config the value of `--config`.
   */
  readonly decide: (spec: Spec, root: HostPath | undefined, config: string | undefined) => Decision;
  /** Runs a command line of nvoci itself. Returns the exit status. */
  readonly runWords: (words: readonly string[]) => number;
  /** Writes lines to standard output. */
  readonly print: (lines: readonly string[]) => void;
}

/** Runs the parsed command. Returns the exit status. */
export type Run = (context: CommandContext) => number;

/** Receives the parsed command. It runs after parsing, so that its errors are never reported as usage errors. */
export type Choose = (run: Run) => void;
