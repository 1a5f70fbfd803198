import type { LogLevel } from "../config/config.ts";
import { NvociError } from "../model/errors.ts";
import type { Finding, Report } from "../model/finding.ts";
import { dirname, type HostPath } from "../model/paths.ts";
import { renderFinding } from "../render/render-finding.ts";
import { STDERR } from "../sys/linux.ts";
import { openLogFile } from "../sys/replace-file.ts";
import { CWD, type Fd, type Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";

/**
 * Where the hook writes what it did: the log file that config.toml names, and standard error for a person who asked.
 * A log that cannot be written stops nothing.
 */
export interface Log {
  /** Writes a finding. What comes before the file is open is kept for it. */
  readonly report: Report;
  info(message: string): void;
  error(error: NvociError): void;
  /**
   * Opens the file, which the configuration names.
   *
   * @param file absent: nothing is logged.
   * @param level lines below it are left out.
   */
  open(file: HostPath | undefined, level: LogLevel): void;
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
 * Makes a log whose file is not open yet. A line of it is `time="…" level=… container=… msg="…"`, as the peers' logs
 * and runc's are.
 *
 * @param debug whether findings go to standard error too, without time stamps.
 */
export function newLog(system: Syscalls, container: string, debug: boolean): Log {
  let fd: Fd | undefined;
  let level: LogLevel = "info";
  /** Findings until the file is open; afterwards there is nothing to wait for. */
  let early: Finding[] | undefined = [];
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
    error: (error) => write("error", error.renderLine()),
    report(finding) {
      // Wording some hundred findings takes longer than the mounts: only where somebody reads it.
      if (debug) system.write(STDERR, `nvoci: ${renderFinding(finding)}\n`);
      if (early !== undefined) early.push(finding);
      else if (fd !== undefined) write(finding.severity, renderFinding(finding));
    },
    open(file, minimum) {
      level = minimum;
      fd = file === undefined ? undefined : openForAppending(system, file);
      const waiting = fd === undefined ? [] : (early ?? []);
      early = undefined;
      for (const finding of waiting) write(finding.severity, renderFinding(finding));
    },
  };
}
