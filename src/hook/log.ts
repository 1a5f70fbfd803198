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
 * The hook's log: the file that config.toml names and, with `-debug`, standard error. A failure to write it is not an
 * error.
 */
export interface Log {
  /** Writes a finding. Findings before `open` are kept and written then. */
  readonly report: Report;
  info(message: string): void;
  error(error: NvociError): void;
  /**
   * Opens the file that the configuration names.
   *
   * @param file `undefined`: nothing is logged.
   * @param level the lowest level that is logged.
   */
  open(file: HostPath | undefined, level: LogLevel): void;
}

const ORDER: readonly LogLevel[] = ["debug", "info", "warning", "error"];

/** Returns the time in RFC 3339 format, in UTC with milliseconds. */
const timestamp = (): string => new Date().toISOString();

/** Opens the log. If that fails, prints a line to standard error and returns `undefined`. */
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
 * Returns a log whose file is not open yet. Its lines are `time="…" level=… container=… msg="…"`, as in the logs of
 * runc and of NVIDIA's container toolkit.
 *
 * @param debug whether findings also go to standard error, without timestamps.
 */
export function newLog(system: Syscalls, container: string, debug: boolean): Log {
  let fd: Fd | undefined;
  let level: LogLevel = "info";
  /** Findings before `open`; `undefined` afterwards. */
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
      // Render only what is written: rendering hundreds of findings takes longer than the mounts.
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
