import { NvociError } from "../model/errors.ts";
import { openLogFile } from "../sys/replace-file.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import type { RuntimeArguments } from "./parse-runtime-arguments.ts";

/** Formats an error in one line. */
function oneLine(error: unknown): string {
  if (!(error instanceof NvociError)) return `nvoci: bug: ${String(error)}`;
  return `nvoci: ${error.renderLine()}`;
}

/**
 * Appends an error to the log file that the container engine gave the runtime, in the runtime's format. When a runtime
 * fails, the engine shows only what it finds there. A failure to write the log is ignored.
 */
export function logRuntimeError(system: Syscalls, args: RuntimeArguments, error: unknown): void {
  if (!args.log) return;
  const msg = oneLine(error);
  const time = new Date().toISOString();
  const line =
    args.logFormat === "json"
      ? JSON.stringify({ level: "error", msg, time })
      : `time="${time}" level=error msg=${JSON.stringify(msg)}`;
  try {
    const fd = openLogFile(system, args.log);
    system.write(fd, `${line}\n`);
    system.close(fd);
  } catch (failure) {
    if (!(failure instanceof NvociError)) throw failure;
  }
}
