import { describe, expect, it } from "vitest";
import type { LogLevel } from "../../../src/config/config.ts";
import { type Log, newLog } from "../../../src/hook/log.ts";
import { NvociError } from "../../../src/model/errors.ts";
import { type Finding, finding } from "../../../src/model/finding.ts";
import { type HostPath, hostPath } from "../../../src/model/paths.ts";
import { O_APPEND, O_CREAT, O_NONBLOCK } from "../../../src/sys/constants.ts";
import { EACCES, ENOSPC } from "../../../src/sys/errno.ts";
import { STDERR } from "../../../src/sys/linux.ts";
import { Fd, type Stat, type Syscalls } from "../../../src/sys/syscalls.ts";
import { SystemError } from "../../../src/sys/system-error.ts";
import { fakeSyscalls } from "../../support/kernel/fake-syscalls.ts";

const FILE = hostPath("/var/log/nvoci.log");
const FINDINGS = [
  finding("manifest-empty", "warning", "l4t.csv", { file: "l4t.csv" }),
  finding("container-no-etc", "info", "x", {}),
];

/** A log file; `fails` maps calls to their errnos. */
function logFile(fails: { openat?: number; write?: number } = {}, file: Partial<Stat> = {}) {
  const lines: string[] = [];
  const complaints: string[] = [];
  const opened: number[] = [];
  const fail = (name: "openat" | "write"): void => {
    if (fails[name] !== undefined) throw new SystemError(name, [], -fails[name]);
  };
  const system = fakeSyscalls({
    mkdirat: () => false,
    openat: (_, path, flags) => {
      fail("openat");
      opened.push(flags);
      return new Fd(3, path);
    },
    statx: () => ({ type: "file", links: 1, ...file }) as Stat,
    close: () => {},
    write: (fd, data) => {
      if (fd === STDERR) {
        complaints.push(String(data));
        return;
      }
      fail("write");
      lines.push(String(data));
    },
  });
  return { system, lines, opened, complaints };
}

/** Returns a log with its file open. */
function openLog(system: Syscalls, file: HostPath | undefined, level: LogLevel, container: string): Log {
  const log = newLog(system, container, false);
  log.open(file, level);
  return log;
}

describe("newLog()", () => {
  it("opens for appending, creates the file, does not block on a FIFO and follows no link", () => {
    const { system, opened } = logFile();
    openLog(system, FILE, "info", "c");
    const wanted = O_APPEND | O_CREAT | O_NONBLOCK | system.O_NOFOLLOW;
    expect((opened[0] ?? 0) & wanted).toBe(wanted);
  });

  it.each([
    [{ type: "fifo" }, "fifo"],
    [{ type: "character-device" }, "character-device"],
    [{ links: 2 }, "second name"],
  ] as const)("refuses to write to %j and reports it", (file, reason) => {
    const { system, lines, complaints } = logFile({}, file);
    openLog(system, FILE, "debug", "c").info("x");
    expect(lines).toEqual([]);
    expect(complaints).toEqual([expect.stringContaining(reason)]);
  });

  it("writes a line with time, level, container and message", () => {
    const { system, lines } = logFile();
    openLog(system, FILE, "info", "4f2c9a").info('made "3" operations');
    expect(lines).toEqual([
      expect.stringMatching(
        /^time="\d{4}-\d\d-\d\dT[\d:.]+Z" level=info container="4f2c9a" msg="made \\"3\\" operations"\n$/,
      ),
    ]);
  });

  it("keeps a message on one line", () => {
    const { system, lines } = logFile();
    openLog(system, FILE, "info", "a\nb").error(new NvociError("usage", "Cannot a\nb", { output: ["c\nd"] }));
    expect(lines.join("").match(/\n/g)).toHaveLength(1);
  });

  it.each([
    ["debug", 2],
    ["info", 2],
    ["warning", 1],
    ["error", 0],
  ] as const)("at level %s writes %i of a warning and an informational message", (level, count) => {
    const { system, lines } = logFile();
    FINDINGS.forEach(openLog(system, FILE, level, "c").report);
    expect(lines).toHaveLength(count);
  });

  it("writes messages from before the file was opened, once and in order", () => {
    const { system, lines } = logFile();
    const log = newLog(system, "c", false);
    const [first, second] = FINDINGS as [Finding, Finding];
    log.report(first);
    expect(lines).toEqual([]);
    log.open(FILE, "info");
    log.report(second);
    expect(lines.map((line) => /level=(\w+)/.exec(line)?.[1])).toEqual(["warning", "info"]);
  });

  it("writes nothing without a file", () => {
    const { system, lines, opened } = logFile();
    const log = openLog(system, undefined, "debug", "c");
    log.info("x");
    FINDINGS.forEach(log.report);
    expect([lines, opened]).toEqual([[], []]);
  });

  it("continues if the file can be neither opened nor written", () => {
    for (const fails of [{ openat: EACCES }, { write: ENOSPC }]) {
      const { system, lines } = logFile(fails);
      openLog(system, FILE, "debug", "c").info("x");
      expect(lines).toEqual([]);
    }
  });

  it("prints findings for the terminal without time stamps, one per line", () => {
    const { system, complaints } = logFile();
    FINDINGS.forEach(newLog(system, "c", true).report);
    expect(complaints).toHaveLength(2);
    for (const line of complaints) expect(line).toMatch(/^nvoci: .+\n$/);
  });
});
