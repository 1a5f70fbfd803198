import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { compileC } from "../../../fixtures/run/compile-c.ts";

/** How a program was started. All strings are latin1, so any byte is one character. */
interface Record {
  readonly argv: readonly string[];
  readonly environ: readonly string[];
  /** Numbers of the open descriptors below 64. */
  readonly descriptors: readonly number[];
  /** Returns a line of /proc/PID/status, such as `SigIgn` or `Pid`. */
  status(name: string): string;
  /** Soft limit of open files. */
  readonly openFiles: number;
}

/** A program in place of a low-level runtime. It exits with status 7. */
export interface Recorder {
  readonly path: string;
  /** Returns the last start; `undefined` if there was none since the last call. */
  take(): Record | undefined;
}

/** @param directory an empty directory. Requires gcc. */
export function makeRecorder(directory: string, name = "recorder"): Recorder {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, name);
  copyFileSync(compileC(join(import.meta.dirname, "recorder.c")), path);
  const read = (file: string): string => readFileSync(join(directory, file), "latin1");
  const list = (file: string): string[] => read(file).split("\0").slice(0, -1);
  return {
    path,
    take() {
      if (!existsSync(join(directory, "limits"))) return undefined;
      const status = read("status");
      const record = {
        argv: list("cmdline"),
        environ: list("environ"),
        descriptors: read("descriptors").trim().split("\n").map(Number),
        openFiles: Number(/^Max open files\s+(\d+)/m.exec(read("limits"))?.[1]),
        status: (line: string) => new RegExp(`^${line}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "",
      };
      rmSync(join(directory, "limits"));
      return record;
    },
  };
}
