import { describe, expect, it } from "vitest";
import { byOpenat2, resolver } from "../../../../src/execute/rootfs/resolve.ts";
import { O_PATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from "../../../../src/sys/constants.ts";
import { EAGAIN, EINVAL, ENOSYS, EPERM, EXDEV } from "../../../../src/sys/errno.ts";
import { Fd, type OpenHow } from "../../../../src/sys/syscalls.ts";
import { SystemError } from "../../../../src/sys/system-error.ts";
import { catchError } from "../../../support/cli/catch-error.ts";
import { fakeSyscalls } from "../../../support/kernel/fake-syscalls.ts";

const ROOT = new Fd(3, "/rootfs");

/** A kernel whose openat2(2) returns the errnos in turn and repeats the last one; 0 opens. It counts other calls. */
function kernel(...errnos: readonly number[]) {
  const asked: OpenHow[] = [];
  let walked = 0;
  const system = fakeSyscalls({
    openat2: (_, path, how) => {
      const errno = errnos[Math.min(asked.push(how), errnos.length) - 1] ?? 0;
      if (errno !== 0) throw new SystemError("openat2", [], -errno);
      return new Fd(4, path);
    },
    openat: (_, path) => {
      walked++;
      return new Fd(5, path);
    },
    statx: () => ({ type: "directory" }) as never,
    close: () => {},
  });
  return { system, asked, walked: () => walked };
}

describe("byOpenat2()", () => {
  it("always stays in the root and refuses magic links", () => {
    const { system, asked } = kernel(0);
    byOpenat2(system, ROOT).open("/usr/lib", O_PATH);
    expect(asked).toEqual([{ flags: O_PATH, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS }]);
  });

  it("retries after a concurrent rename or mount", () => {
    const { system, asked } = kernel(EAGAIN, EAGAIN, 0);
    expect(byOpenat2(system, ROOT).open("a/../b", O_PATH)).toMatchObject({ number: 4 });
    expect(asked).toHaveLength(3);
  });

  it("gives up after a bounded number of retries", () => {
    const { system } = kernel(EAGAIN);
    expect(catchError(() => byOpenat2(system, ROOT).open("a/../b", O_PATH))).toMatchObject({ errno: EAGAIN });
  });

  it.each([EPERM, EXDEV, EINVAL])("does not retry after errno %i", (errno) => {
    const { system, asked } = kernel(errno);
    expect(catchError(() => byOpenat2(system, ROOT).open("a", O_PATH))).toMatchObject({ errno });
    expect(asked).toHaveLength(1);
  });
});

describe("resolver()", () => {
  it("uses openat2(2) if the kernel has it", () => {
    const { system, walked } = kernel(0);
    resolver(system, ROOT).open("a", O_PATH);
    expect(walked()).toBe(0);
  });

  it("walks if the kernel returns ENOSYS, and does not try openat2(2) again", () => {
    const { system, asked, walked } = kernel(ENOSYS);
    resolver(system, ROOT).open("a", O_PATH);
    expect(asked).toHaveLength(1);
    expect(walked()).toBeGreaterThan(0);
  });

  it("walks without querying a silent mount if there is one", () => {
    const asked: number[] = [];
    const ids: Readonly<Record<string, number>> = { volume: 37 };
    const system = fakeSyscalls({
      openat: (_, name) => new Fd(ids[name] ?? 30, name),
      statxMountId: ({ number }) => number,
      statx: (fd) => {
        asked.push(fd.number);
        return { type: "directory" } as never;
      },
      close: () => {},
    });
    const walking = resolver(system, ROOT, new Set([37]));
    expect(catchError(() => walking.open("a/volume/b", O_PATH))).toMatchObject({ errno: EXDEV });
    expect(catchError(() => walking.open("a/volume", O_PATH))).toMatchObject({ errno: EXDEV });
    expect(asked).toEqual([30, 30]);
    expect(walking.open("a/b", O_PATH)).toBeInstanceOf(Fd);
  });

  it("uses openat2(2) if no mount is silent", () => {
    const { system, walked } = kernel(0);
    resolver(system, ROOT, new Set()).open("a", O_PATH);
    expect(walked()).toBe(0);
  });

  it.each([EPERM, EINVAL])("never walks after errno %i", (errno) => {
    const { system, walked } = kernel(errno);
    expect(catchError(() => resolver(system, ROOT))).toMatchObject({ errno });
    expect(walked()).toBe(0);
  });
});
