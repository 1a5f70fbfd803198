import { describe, expect, it } from "vitest";
import { cli } from "../../../src/cli/cli.ts";
import { EPERM } from "../../../src/sys/errno.ts";
import type { Fd, Syscalls } from "../../../src/sys/syscalls.ts";
import { SystemError } from "../../../src/sys/system-error.ts";
import { VERSION } from "../../../src/version.ts";
import { catchError } from "../../support/cli/catch-error.ts";

const EPIPE = 32;

function run(words: readonly string[], write?: Syscalls["write"]) {
  const written = { 1: "", 2: "" } as Record<number, string>;
  const record = (fd: Fd, data: Uint8Array | string) => {
    written[fd.number] += String(data);
  };
  const status = cli({ write: write ?? record } as Syscalls, words, []);
  return { status, stdout: written[1], stderr: written[2] };
}

describe("cli()", () => {
  it("prints the version on standard output", () => {
    expect(run(["--version"])).toEqual({ status: 0, stdout: `nvoci ${VERSION}\n`, stderr: "" });
  });

  it("prints requested help on standard output", () => {
    const { status, stdout, stderr } = run(["--help"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^nvoci <command>\n/);
  });

  it("prints help on standard error and returns 2 without arguments", () => {
    const { status, stdout, stderr } = run([]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toBe(run(["--help"]).stdout);
  });

  it("ignores a reader that closes the pipe", () => {
    const gone = () => {
      throw new SystemError("write", [], -EPIPE);
    };
    expect(run(["--version"], gone).status).toBe(0);
  });

  it("rethrows any other write failure", () => {
    const refused = () => {
      throw new SystemError("write", [], -EPERM);
    };
    expect(catchError(() => run(["--version"], refused))).toMatchObject({ code: "system-call" });
  });

  it("writes nothing for a command line that it refuses", () => {
    const write = () => expect.unreachable();
    expect(catchError(() => run(["bogus"], write))).toMatchObject({ code: "usage" });
    expect(catchError(() => run(["hook", "prestart"], write))).toMatchObject({ code: "usage" });
  });
});
