import { NvociError } from "../model/errors.ts";
import { type HostPath, hostPath, join } from "../model/paths.ts";
import type { HostView } from "../model/views.ts";
import type { Spec } from "../oci/spec.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { quote } from "../text/quote.ts";
import type { Decision } from "./imaginary-container.ts";

/**
 * A path from the command line, relative ones against the current directory.
 *
 * @throws NvociError "usage" for an empty path, and for a relative one where the current directory is gone.
 */
export function absolutePath(host: HostView, text: string): HostPath {
  if (text.startsWith("/")) return hostPath(text);
  const directory = text === "" ? undefined : host.readLink(hostPath("/proc/self/cwd"));
  if (directory?.startsWith("/")) return join(directory, text) as HostPath;
  throw new NvociError("usage", `Cannot use the path ${quote(text)}: give an absolute one`);
}

/** Refuses an option that is given twice: yargs would hand over a list. */
const once =
  (name: string) =>
  (value: unknown): string | undefined => {
    if (Array.isArray(value)) throw new Error(`Option given more than once: ${name}`);
    return value as string | undefined;
  };

/** An option that takes one text, of the kind that `hint` names. */
export const textOption = (name: string, describe: string) =>
  ({ type: "string", requiresArg: true, coerce: once(name), describe }) as const;

/** The configuration file, for every command that reads it. */
export const CONFIG_OPTION = textOption("config", "configuration file instead of the usual one");

/** Output for programs. */
export const JSON_OPTION = { type: "boolean", default: false, describe: "print one JSON document" } as const;

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
