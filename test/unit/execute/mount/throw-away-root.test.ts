import { describe, expect, it } from "vitest";
import { openThrowAwayRoot } from "../../../../src/execute/mount/throw-away-root.ts";
import { PROC_SUPER_MAGIC } from "../../../../src/sys/constants.ts";
import { EPERM } from "../../../../src/sys/errno.ts";
import { Fd, type Syscalls } from "../../../../src/sys/syscalls.ts";
import { SystemError } from "../../../../src/sys/system-error.ts";
import { catchError } from "../../../support/cli/catch-error.ts";

/** A kernel that records what changes something, and knows the types of some directories. */
function kernel(types: Readonly<Record<string, string>>, more: Partial<Syscalls> = {}) {
  const calls: string[] = [];
  let number = 3;
  const system = {
    statx: (_: Fd, path: string) => ({ type: types[path] ?? "directory" }),
    openat: (_: Fd, path: string) => new Fd(number++, path),
    fstatfs: () => ({ type: PROC_SUPER_MAGIC, flags: 0 }),
    unshare: () => void calls.push("unshare"),
    fchdir: (fd: Fd) => void calls.push(`fchdir ${fd.origin}`),
    mount: (source: string, target: Fd) => void calls.push(`mount ${source} ${target.origin}`),
    mkdirat: () => true,
    close: () => {},
    ...more,
  } as unknown as Syscalls;
  return { system, calls };
}

describe("openThrowAwayRoot()", () => {
  it("leaves the host's namespace and makes every mount private before it mounts anything", () => {
    const { system, calls } = kernel({});
    expect(openThrowAwayRoot(system, ["/usr/lib/libcuda.so.1"]).origin).toBe("/mnt");
    expect(calls).toEqual(["unshare", "fchdir /proc/self/fd", "mount none /", "mount tmpfs /mnt"]);
  });

  it.each<[string, Readonly<Record<string, string>>, readonly string[], string]>([
    ["a link", { "/mnt": "symlink" }, [], "/media"],
    ["a directory with files of the driver", {}, ["/mnt/driver/libcuda.so.1"], "/media"],
    ["either", { "/mnt": "symlink" }, ["/media/driver/libcuda.so.1"], "/srv"],
  ])("does not mount over %s", (_, types, used, place) => {
    const { system, calls } = kernel(types);
    openThrowAwayRoot(system, used);
    expect(calls.at(-1)).toBe(`mount tmpfs ${place}`);
  });

  it("changes nothing when no directory is free", () => {
    const { system, calls } = kernel({
      "/tmp": "symlink",
      "/mnt": "symlink",
      "/media": "symlink",
      "/srv": "file",
    });
    expect(catchError(() => openThrowAwayRoot(system, [])).code).toBe("operation-failed");
    expect(calls).toEqual([]);
  });

  it("mounts nothing when the namespace is refused, or /proc is something else", () => {
    const unshare = () => {
      throw new SystemError("unshare", [], -EPERM);
    };
    const refused = kernel({}, { unshare });
    expect(() => openThrowAwayRoot(refused.system, [])).toThrow(SystemError);
    expect(refused.calls).toEqual([]);
    const other = kernel({}, { fstatfs: () => ({ type: 1, flags: 0 }) });
    expect(catchError(() => openThrowAwayRoot(other.system, [])).code).toBe("operation-failed");
    expect(other.calls).toEqual([]);
  });
});
