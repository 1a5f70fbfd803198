import { NvociError } from "../model/errors.ts";
import { O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } from "../sys/constants.ts";
import { CWD } from "../sys/fd.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";
import type { RuntimeArguments } from "./parse-runtime-arguments.ts";

/** The error in one line. */
function oneLine(error: unknown): string {
  if (!(error instanceof NvociError)) return `nvoci: bug: ${String(error)}`;
  return [`nvoci: ${error.message}`, ...error.details].join("; ");
}

/**
 * Adds an error to the log that the engine gave the runtime, in the runtime's own form: an engine shows what it finds
 * there, and shows nothing of a runtime that ended without. A log that cannot be written changes nothing.
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
    // O_NONBLOCK: a FIFO that nobody reads must not hold the engine up.
    const fd = system.openat(CWD, args.log, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK, 0o644);
    system.write(fd, `${line}\n`);
    system.close(fd);
  } catch (failure) {
    if (!(failure instanceof SystemError)) throw failure;
  }
}
