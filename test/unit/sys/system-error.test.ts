import { describe, expect, it } from "vitest";
import { EXIT, NvociError } from "../../../src/model/errors.ts";
import { CWD, Fd } from "../../../src/sys/fd.ts";
import { SystemError } from "../../../src/sys/system-error.ts";

const tree = new Fd(8, "/usr/lib/libcuda.so.1");
const parent = new Fd(9, "/usr/lib");

describe("SystemError", () => {
  it("shows the call as strace does: descriptors with what they were opened by, texts quoted, flags bare", () => {
    const error = new SystemError("move_mount", [tree, "", parent, "libcuda.so.1", { flags: "0x4" }], -1);
    expect(error.call).toBe(
      'move_mount(8 ("/usr/lib/libcuda.so.1"), "", 9 ("/usr/lib"), "libcuda.so.1", 0x4) = -1 EPERM (Operation not permitted)',
    );
  });

  it("says in its first line which call failed on which path, and why", () => {
    expect(new SystemError("openat", [CWD, "/a b", 5], -2).message).toBe('Cannot open "/a b": ENOENT');
    expect(new SystemError("read", [new Fd(0, "stdin"), 4096], -9).message).toBe(
      'Cannot read "stdin": EBADF',
    );
    expect(new SystemError("move_mount", [tree, "", parent, "x"], -1).message).toBe(
      'Cannot move_mount "x": EPERM',
    );
    expect(new SystemError("unshare", [{ flags: "0x200" }], -1).message).toBe("Cannot unshare: EPERM");
  });

  it("shows AT_FDCWD and numbers", () => {
    expect(new SystemError("openat", [CWD, "a b", 5], -2).call).toBe(
      'openat(AT_FDCWD, "a b", 5) = -1 ENOENT (No such file or directory)',
    );
  });

  it("does not break a line, whatever a path has in it", () => {
    const error = new SystemError("openat", [new Fd(3, "a\nb"), 'c\n"d'], -2);
    expect(error.render().split("\n")).toHaveLength(2);
  });

  it("shows an error that has no name by its number", () => {
    const error = new SystemError("read", [], -4095);
    expect(error.call).toBe("read() = -1 errno 4095");
    expect(error.reason).toBe("errno 4095");
  });

  it("is an NvociError with the errno as a positive number, and exit status 1", () => {
    const error = new SystemError("read", [], -5);
    expect(error).toBeInstanceOf(NvociError);
    expect(error).toMatchObject({ code: "system-call", errno: 5, reason: "EIO", exitCode: EXIT.failed });
    expect(error.details).toEqual([error.call]);
  });
});
