import { existsSync, readFileSync } from "node:fs";
import type { HookEntry } from "../../../fixtures/bundle.ts";
import { hookEntry } from "../build/builds.ts";

/** A recorded hook's output and exit status. */
export interface Recording {
  /** Standard output and standard error, line by line. */
  readonly lines: readonly string[];
  readonly status: number;
}

/**
 * Returns a hook entry that runs a command and keeps its output and status; a runtime prints the output only if
 * the hook fails.
 *
 * @param log file that is overwritten.
 * @param filter shell command that the state is piped through before it reaches the hook.
 */
export function recordedHook(command: readonly string[], log: string, filter?: string): HookEntry {
  const words = command.map((word) => `'${word}'`).join(" ");
  const pipe = filter === undefined ? "" : `${filter} | `;
  const script = `${pipe}${words} >${log} 2>&1; status=$?; cat ${log} >&2; echo "exit $status" >>${log}; exit $status`;
  return hookEntry(["/bin/sh", "-c", script]);
}

/** Reads a recorded hook's log; `undefined` if the hook did not run. */
export function readRecording(log: string): Recording | undefined {
  if (!existsSync(log)) return undefined;
  const lines = readFileSync(log, "utf8").trimEnd().split("\n");
  return { status: Number(lines.pop()?.slice("exit ".length)), lines };
}
