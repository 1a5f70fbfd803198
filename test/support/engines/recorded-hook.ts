import { existsSync, readFileSync } from "node:fs";
import type { HookEntry } from "../../../fixtures/bundle.ts";
import { hookEntry } from "../build/builds.ts";

/** What a recorded hook said and how it ended. */
export interface Recording {
  /** Both outputs, line by line. */
  readonly lines: readonly string[];
  readonly status: number;
}

/**
 * A hook entry that runs a command as given and keeps both its outputs and its status; a runtime shows the outputs
 * only when the hook fails.
 *
 * @param log file that is written over.
 * @param filter a shell command that the state goes through on its way to the hook.
 */
export function recordedHook(command: readonly string[], log: string, filter?: string): HookEntry {
  const words = command.map((word) => `'${word}'`).join(" ");
  const pipe = filter === undefined ? "" : `${filter} | `;
  const script = `${pipe}${words} >${log} 2>&1; status=$?; cat ${log} >&2; echo "exit $status" >>${log}; exit $status`;
  return hookEntry(["/bin/sh", "-c", script]);
}

/** Reads what a recorded hook left; `undefined` when it was never run. */
export function readRecording(log: string): Recording | undefined {
  if (!existsSync(log)) return undefined;
  const lines = readFileSync(log, "utf8").trimEnd().split("\n");
  return { status: Number(lines.pop()?.slice("exit ".length)), lines };
}
