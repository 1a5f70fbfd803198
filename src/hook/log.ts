import type { LogLevel } from "../config/config.ts";
import { NvociError } from "../model/errors.ts";
import type { Finding } from "../model/finding.ts";
import { dirname, type HostPath } from "../model/paths.ts";
import { renderFinding } from "../render/render-finding.ts";
import { CWD, type Fd } from "../sys/fd.ts";
import { STDERR } from "../sys/linux.ts";
import { openLogFile } from "../sys/open-log-file.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";

/** Where the hook tells what it did. Nothing is told twice, and a log that cannot be written stops nothing. */
export interface Log {
  info(message: string): void;
  error(error: NvociError): void;
  findings(findings: readonly Finding[]): void;
  /** The same texts without time stamps, for a person who asked. */
  findingsTo(fd: Fd, findings: readonly Finding[]): void;
}

const ORDER: readonly LogLevel[] = ["debug", "info", "warning", "error"];

/** RFC 3339 in UTC, with milliseconds. */
const timestamp = (): string => new Date().toISOString();

/** A log that cannot be had is worth a line to whoever started us, and no more. */
function openForAppending(system: Syscalls, file: HostPath): Fd | undefined {
  try {
    system.mkdirat(CWD, dirname(file), 0o755);
    return openLogFile(system, file);
  } catch (error) {
    if (!(error instanceof NvociError)) throw error;
    complain(system, error);
    return undefined;
  }
}

function complain(system: Syscalls, { message }: NvociError): void {
  try {
    system.write(STDERR, `nvoci: No log is written: ${message}\n`);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
}

/**
 * Opens the log file that config.toml names under `debug`.
 *
 * A line is `time="…" level=… container=… msg="…"`, as the peers' logs and runc's are.
 *
 * @param file absent: nothing is logged.
 * @param level lines below it are left out.
 */
export function openLog(
  system: Syscalls,
  file: HostPath | undefined,
  level: LogLevel,
  container: string,
): Log {
  const fd = file === undefined ? undefined : openForAppending(system, file);
  const write = (lineLevel: LogLevel, message: string): void => {
    if (fd === undefined || ORDER.indexOf(lineLevel) < ORDER.indexOf(level)) return;
    const fields = `time="${timestamp()}" level=${lineLevel} container=${JSON.stringify(container)}`;
    try {
      system.write(fd, `${fields} msg=${JSON.stringify(message)}\n`);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
    }
  };
  return {
    info: (message) => write("info", message),
    error: (error) => write("error", [error.message, ...error.details].join("; ")),
    findings(findings) {
      // Wording some hundred findings takes longer than the mounts: only where somebody reads it.
      if (fd === undefined) return;
      for (const finding of findings) write(finding.severity, renderFinding(finding));
    },
    findingsTo(target, findings) {
      for (const finding of findings) system.write(target, `nvoci: ${renderFinding(finding)}\n`);
    },
  };
}
