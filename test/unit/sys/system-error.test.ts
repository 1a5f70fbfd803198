import { describe, expect, it } from "vitest";
import { EXIT, NvociError } from "../../../src/model/errors.ts";
import { CWD, Fd } from "../../../src/sys/syscalls.ts";
import { SystemError } from "../../../src/sys/system-error.ts";

const tree = new Fd(8, "/usr/lib/libcuda.so.1");
const parent = new Fd(9, "/usr/lib");

describe("SystemError", () => {
  it("prints the call as strace does: descriptors as their paths, flags by name", () => {
    const error = new SystemError(
      "move_mount",
      [tree, "", parent, "libcuda.so.1", { set: "MOVE_MOUNT", value: 4 }],
      -1,
    );
    expect(error.call).toBe(
      'move_mount(8 ("/usr/lib/libcuda.so.1"), "", 9 ("/usr/lib"), "libcuda.so.1", MOVE_MOUNT_F_EMPTY_PATH) = -1 EPERM (Operation not permitted)',
    );
  });

  it("prints descriptors as paths on kernels where mount(2) receives their numbers", () => {
    const error = new SystemError("mount", [tree, parent, null, { set: "MS", value: 0x5000 }, null], -1);
    expect(error.call).toBe(
      'mount(8 ("/usr/lib/libcuda.so.1"), 9 ("/usr/lib"), NULL, MS_BIND|MS_REC, NULL) = -1 EPERM (Operation not permitted)',
    );
    expect(error.message).toBe('Cannot mount on "/usr/lib": EPERM');
  });

  it.each([
    ["openat", [CWD, "/a b", 5], 'Cannot open "/a b": EIO'],
    ["read", [new Fd(0, "stdin"), 4096], 'Cannot read "stdin": EIO'],
    ["statx", [tree, "", 0], 'Cannot stat "/usr/lib/libcuda.so.1": EIO'],
    ["symlinkat", ["libx.so.1", parent, "libx.so"], 'Cannot make the link "libx.so": EIO'],
    ["move_mount", [tree, "", parent, "x"], 'Cannot mount on "x": EIO'],
    ["unshare", [{ set: "CLONE", value: 0x200 }], "Cannot leave a namespace: EIO"],
    ["a_call_of_2030", [3], "Cannot call a_call_of_2030(2): EIO"],
  ] as const)("states the failed operation, its object and the reason for %s", (name, args, message) => {
    expect(new SystemError(name, args, -5).message).toBe(message);
  });

  it("prints AT_FDCWD and numbers", () => {
    expect(new SystemError("openat", [CWD, "a b", 5], -2).call).toBe(
      'openat(AT_FDCWD, "a b", 5) = -1 ENOENT (No such file or directory)',
    );
  });

  it("escapes terminal sequences and line breaks in paths", () => {
    const error = new SystemError("mkdirat", [new Fd(3, "a\nb\u009b31m"), 'c\n"d\u202e'], -17);
    expect(error.render()).toBe(
      'nvoci: Cannot make the directory "c\\n\\"d\\u202e": EEXIST\n  mkdirat(3 ("a\\nb\\u009b31m"), "c\\n\\"d\\u202e") = -1 EEXIST (File exists)',
    );
  });

  it("prints an unknown errno as its number", () => {
    const error = new SystemError("read", [], -4095);
    expect(error.call).toBe("read() = -1 errno 4095");
    expect(error.reason).toBe("errno 4095");
  });

  it("is an NvociError with the errno as a positive number, and exit status 1", () => {
    const error = new SystemError("read", [], -5);
    expect(error).toBeInstanceOf(NvociError);
    expect(error).toMatchObject({ code: "system-call", errno: 5, reason: "EIO", exitCode: EXIT.failed });
  });

  it("prints the call last, below the hint", () => {
    const [, hint, call] = new SystemError("read", [], -5).render().split("\n");
    expect(hint).toBe("  hint: the disk or its file system reports errors; look at the kernel's log (dmesg)");
    expect(call).toBe("  read() = -1 EIO (Input/output error)");
  });
});
