import { describe, expect, it } from "vitest";
import * as errno from "../../../src/sys/errno.ts";
import { hintFor } from "../../../src/sys/hints.ts";

describe("hintFor()", () => {
  it.each([
    ["move_mount", errno.ENOSPC, /mount-max/],
    ["mknodat", errno.ENOSPC, /df -h/],
    ["move_mount", errno.EPERM, /user namespace/],
    ["bpf", errno.EPERM, /no-cgroups/],
    ["setns", errno.EPERM, /root on the host/],
    ["mkdirat", errno.EPERM, /SELinux/],
    ["openat2", errno.EACCES, /SELinux, AppArmor/],
    ["mknodat", errno.EROFS, /image's file system is read-only/],
    ["bpf", errno.ENOMEM, /LimitMEMLOCK/],
    ["openat", errno.ENOMEM, /out of memory/],
    ["openat", errno.EMFILE, /LimitNOFILE/],
    ["pipe2", errno.ENFILE, /file-max/],
    ["pread64", errno.EIO, /dmesg/],
    ["statx", errno.ESTALE, /network file system/],
    ["renameat2", errno.EBUSY, /mounted there/],
    ["openat", errno.ENXIO, /kernel module/],
    ["openat", errno.ENODEV, /kernel module/],
    ["mount", errno.ENODEV, /lacks this file system/],
    ["execve", errno.ETXTBSY, /update/],
    ["execveat", errno.ENOEXEC, /another architecture/],
    ["fcntl", errno.ENOSYS, /older than 4.9/],
    ["write", errno.EDQUOT, /quota/],
  ] as const)("returns a hint for %s and errno %i", (call, number, hint) => {
    expect(hintFor(call, number)).toMatch(hint);
  });

  it("is undefined for other errors", () => {
    expect(hintFor("openat", errno.ENOENT)).toBeUndefined();
    expect(hintFor("openat", errno.ENXIO + 1000)).toBeUndefined();
  });

  it("writes every hint in one style: one sentence, lower case unless a name, no final period", () => {
    for (const call of ["move_mount", "mkdirat", "openat", "execve", "bpf", "setns", "fcntl"]) {
      for (const number of Object.values(errno)) {
        const hint = typeof number === "number" ? hintFor(call, number) : undefined;
        if (hint === undefined) continue;
        expect(hint).toMatch(/^(?:[a-z]|SELinux)/);
        expect(hint).not.toMatch(/\.$|\n/);
      }
    }
  });
});
