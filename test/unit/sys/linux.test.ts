import { describe, expect, it } from "vitest";
import { NvociError } from "../../../src/model/errors.ts";
import {
  AT_EMPTY_PATH,
  AT_STATX_DONT_SYNC,
  O_CLOEXEC,
  O_PATH,
  POLLIN,
  POLLOUT,
  SIGCHLD,
} from "../../../src/sys/constants.ts";
import {
  EAGAIN,
  EEXIST,
  EINTR,
  EINVAL,
  ELOOP,
  ENAMETOOLONG,
  ENOENT,
  ENOSYS,
  ENOTDIR,
  EPERM,
} from "../../../src/sys/errno.ts";
import { linux } from "../../../src/sys/linux.ts";
import type { SyscallArgument } from "../../../src/sys/primitives.ts";
import { CWD, Fd } from "../../../src/sys/syscalls.ts";
import { SystemError } from "../../../src/sys/system-error.ts";
import { catchError } from "../../support/cli/catch-error.ts";
import { fakeEngine } from "../../support/engines/fake-engine.ts";

const directory = new Fd(7, "/usr");
const bytesOf = (value: SyscallArgument | undefined): Uint8Array => {
  if (value instanceof Uint8Array) return value;
  throw new Error("no byte array");
};
const words = (value: SyscallArgument | undefined, count: number): number[] => {
  const bytes = bytesOf(value);
  return Array.from({ length: count }, (_, index) => new DataView(bytes.buffer).getUint32(index * 4, true));
};

/** Returns a struct linux_dirent64. */
function directoryEntry(name: readonly number[]): number[] {
  const length = Math.ceil((19 + name.length + 1) / 8) * 8;
  const entry = new Array<number>(length).fill(0);
  entry[16] = length;
  name.forEach((byte, index) => {
    entry[19 + index] = byte;
  });
  return entry;
}

describe("linux(): descriptors", () => {
  it("openat() and openat2() always set close-on-exec", () => {
    const engine = fakeEngine({ openat: [3], openat2: [4] });
    const system = linux(engine);
    expect(system.openat(directory, "lib", O_PATH)).toEqual(new Fd(3, "lib"));
    expect(system.openat2(directory, "lib", { flags: O_PATH, resolve: 0x12 })).toEqual(new Fd(4, "lib"));
    expect(engine.calls[0]?.args).toEqual([7, "lib", O_PATH | O_CLOEXEC, 0]);
    const [fd, path, how, size] = engine.calls[1]?.args ?? [];
    expect([fd, path, size]).toEqual([7, "lib", 24]);
    expect(words(how, 6)).toEqual([O_PATH | O_CLOEXEC, 0, 0, 0, 0x12, 0]);
  });

  it("openatIfThere() sets close-on-exec and returns undefined for a missing file", () => {
    const engine = fakeEngine({ openat: [3, -ENOENT, -ENOTDIR, -ELOOP, -ENAMETOOLONG] });
    const system = linux(engine);
    expect(system.openatIfThere(directory, "lib", O_PATH)).toEqual(new Fd(3, "lib"));
    expect(engine.calls[0]?.args).toEqual([7, "lib", O_PATH | O_CLOEXEC, 0]);
    for (let absent = 0; absent < 4; absent++) {
      expect(system.openatIfThere(directory, "lib", O_PATH)).toBeUndefined();
    }
  });

  it("openatIfThere() throws when access is refused", () => {
    const engine = fakeEngine({ openat: [-EPERM] });
    const error = catchError(() => linux(engine).openatIfThere(directory, "lib", O_PATH));
    expect(error).toBeInstanceOf(SystemError);
    expect(error).toMatchObject({ errno: EPERM });
  });

  it("close() is called once, even when a signal interrupts it", () => {
    const engine = fakeEngine({ close: [-EINTR] });
    linux(engine).close(directory);
    expect(engine.calls).toHaveLength(1);
  });

  it("pipe2() returns the reading end first", () => {
    const fill = (numbers: SyscallArgument | undefined) => {
      new DataView(bytesOf(numbers).buffer).setInt32(0, 5, true);
      new DataView(bytesOf(numbers).buffer).setInt32(4, 6, true);
      return 0;
    };
    const engine = fakeEngine({ pipe2: [fill] });
    expect(linux(engine).pipe2()).toMatchObject({ reader: { number: 5 }, writer: { number: 6 } });
    expect(engine.calls[0]?.args[1]).toBe(O_CLOEXEC);
  });

  it.each([
    "openat",
    "openat2",
    "open_tree",
  ] as const)("%s() throws its name and errno when it fails", (name) => {
    const system = linux(fakeEngine({ [name]: [-EPERM] }));
    const open = {
      openat: () => system.openat(directory, "lib", 0),
      openat2: () => system.openat2(directory, "lib", { flags: 0, resolve: 0 }),
      open_tree: () => system.open_tree(directory, "lib", 0),
    };
    const error = catchError(open[name]);
    expect(error).toBeInstanceOf(SystemError);
    expect(error).toMatchObject({ errno: EPERM });
    expect((error as SystemError).call).toMatch(`${name}(7 ("/usr"), "lib", `);
  });
});

describe("linux(): reading and writing", () => {
  it("read() retries after a signal", () => {
    const engine = fakeEngine({ read: [-EINTR, -EINTR, 3] });
    expect(linux(engine).read(directory, new Uint8Array(8))).toBe(3);
    expect(engine.calls).toHaveLength(3);
  });

  it("write() continues after a partial write and retries after a signal", () => {
    const engine = fakeEngine({ write: [2, -EINTR, 1, 3] });
    linux(engine).write(directory, "abcdef");
    const texts = engine.calls.map(({ args }) => new TextDecoder().decode(bytesOf(args[1])));
    expect(texts).toEqual(["abcdef", "cdef", "cdef", "def"]);
  });

  it.each([
    ["read", POLLIN],
    ["write", POLLOUT],
  ] as const)("%s() waits for a non-blocking standard stream", (name, events) => {
    const engine = fakeEngine({ [name]: [-EAGAIN, -EAGAIN, 1], ppoll: [-EINTR, 1] });
    linux(engine)[name](new Fd(2, "stderr"), new Uint8Array(1));
    expect(engine.calls.map((call) => call.name)).toEqual([name, "ppoll", name, "ppoll", name]);
    const [descriptors, count, timeout] = engine.calls[1]?.args ?? [];
    expect([words(descriptors, 2), count, timeout]).toEqual([[2, events], 1, null]);
  });

  it("read() and write() throw for a non-blocking descriptor", () => {
    const engine = fakeEngine({ read: [-EAGAIN], write: [-EAGAIN] });
    const system = linux(engine);
    expect(catchError(() => system.read(directory, new Uint8Array(1)))).toMatchObject({ errno: EAGAIN });
    expect(catchError(() => system.write(directory, "x"))).toMatchObject({ errno: EAGAIN });
  });

  it("write() of nothing makes no call", () => {
    const engine = fakeEngine({});
    linux(engine).write(directory, "");
    expect(engine.calls).toEqual([]);
  });

  it("readlinkat() returns undefined for a missing path or anything but a link, and throws otherwise", () => {
    for (const errno of [ENOENT, EINVAL]) {
      expect(linux(fakeEngine({ readlinkat: [-errno] })).readlinkat(CWD, "/x")).toBeUndefined();
    }
    expect(() => linux(fakeEngine({ readlinkat: [-EPERM] })).readlinkat(CWD, "/x")).toThrow(SystemError);
  });

  it("readlinkat() refuses a target that may be truncated", () => {
    const system = linux(fakeEngine({ readlinkat: [4096] }));
    expect(catchError(() => system.readlinkat(CWD, "/x"))).toMatchObject({ reason: "ENAMETOOLONG" });
  });

  it("getdents64() reads to the end, without dot entries and names that are not UTF-8", () => {
    const names = [".", "..", "a", "libnvidia.so.1"].map((name) => [...new TextEncoder().encode(name)]);
    const chunks = [names, [[0xff, 0x61], [0x62]]].map((chunk) => chunk.flatMap(directoryEntry));
    const fill = chunks.map((chunk) => (_: SyscallArgument, buffer: SyscallArgument) => {
      bytesOf(buffer).fill(0xee);
      bytesOf(buffer).set(chunk);
      return chunk.length;
    });
    const engine = fakeEngine({ getdents64: [...(fill as (() => number)[]), 0] });
    expect(linux(engine).getdents64(directory)).toEqual(["a", "libnvidia.so.1", "b"]);
  });

  it("getdents64() stops at the given limit", () => {
    const chunk = [..."abc"].flatMap((name) => directoryEntry([name.charCodeAt(0)]));
    const fill = (_: SyscallArgument, buffer: SyscallArgument) => {
      bytesOf(buffer).set(chunk);
      return chunk.length;
    };
    const engine = fakeEngine({ getdents64: [fill as () => number, fill as () => number] });
    expect(linux(engine).getdents64(directory, 4)).toEqual(["a", "b", "c", "a"]);
    expect(engine.calls).toHaveLength(2);
  });
});

describe("linux(): statx()", () => {
  it("falls back to newfstatat() permanently if the kernel has no statx(2)", () => {
    const engine = fakeEngine({ statx: [-ENOSYS], newfstatat: [0] });
    const system = linux(engine);
    expect(system.statx(CWD, "/a", 0x100)).toBeDefined();
    expect(system.statx(CWD, "/b", 0x100)).toBeDefined();
    expect(engine.calls.map(({ name }) => name)).toEqual(["statx", "newfstatat", "newfstatat"]);
    const [fd, path, , flags] = engine.calls[1]?.args ?? [];
    expect([fd, path, flags]).toEqual([-100, "/a", 0x100]);
  });

  it("does not fall back after a refusal", () => {
    const engine = fakeEngine({ statx: [-EPERM], newfstatat: [0] });
    expect(catchError(() => linux(engine).statx(CWD, "/a", 0))).toMatchObject({ errno: EPERM });
    expect(engine.calls).toHaveLength(1);
  });

  it.each([2, 20, 36, 40])("returns undefined for errno %i from either call", (errno) => {
    expect(linux(fakeEngine({ statx: [-errno] })).statx(CWD, "/a", 0)).toBeUndefined();
    expect(linux(fakeEngine({ statx: [-ENOSYS], newfstatat: [-errno] })).statx(CWD, "/a", 0)).toBeUndefined();
  });
});

describe("linux(): statxMountId()", () => {
  it("queries only the kernel, and not again if the kernel lacks mount ids", () => {
    const engine = fakeEngine({ statx: [0] });
    const system = linux(engine);
    expect(system.statxMountId(directory)).toBeUndefined();
    expect(system.statxMountId(directory)).toBeUndefined();
    expect(engine.calls).toHaveLength(1);
    expect(engine.calls[0]?.args[2]).toBe(AT_EMPTY_PATH | AT_STATX_DONT_SYNC);
  });
});

describe("linux(): creating names", () => {
  const make = (system: ReturnType<typeof linux>) => [
    () => system.mkdirat(directory, "a", 0o755),
    () => system.mknodat(directory, "a", 0o100644),
    () => system.symlinkat("b", directory, "a"),
  ];

  it("reports whether the name existed already", () => {
    for (const made of make(linux(fakeEngine({ mkdirat: [0], mknodat: [0], symlinkat: [0] }))))
      expect(made()).toBe(true);
    const existing = linux(fakeEngine({ mkdirat: [-EEXIST], mknodat: [-EEXIST], symlinkat: [-EEXIST] }));
    for (const made of make(existing)) expect(made()).toBe(false);
  });

  it("throws for any other failure", () => {
    const failing = linux(fakeEngine({ mkdirat: [-ENOENT], mknodat: [-ENOENT], symlinkat: [-ENOENT] }));
    for (const made of make(failing)) expect(catchError(made)).toMatchObject({ errno: ENOENT });
  });
});

describe("linux(): mknodat()", () => {
  it("encodes a device number as the kernel does, and passes 0 for anything but a device", () => {
    const engine = fakeEngine({ mknodat: [0] });
    linux(engine).mknodat(directory, "a", 0o20666, { major: 195, minor: 255 });
    linux(engine).mknodat(directory, "b", 0o100644);
    expect(engine.calls.map(({ args }) => args)).toEqual([
      [7, "a", 0o20666, 0xc3ff],
      [7, "b", 0o100644, 0],
    ]);
  });

  it("prints the device number in its error", () => {
    const system = linux(fakeEngine({ mknodat: [-EPERM] }));
    const error = catchError(() => system.mknodat(directory, "a", 0o20666, { major: 195, minor: 0 }));
    expect(error).toMatchObject({ errno: EPERM, call: expect.stringContaining("makedev(195, 0)") });
  });
});

describe("linux(): structures", () => {
  it("mount_setattr() never clears a flag", () => {
    const engine = fakeEngine({ mount_setattr: [0] });
    linux(engine).mount_setattr(directory, "", 0x1000, { attrSet: 7, propagation: 0x40000 });
    const [fd, path, flags, attr, size] = engine.calls[0]?.args ?? [];
    expect([fd, path, flags, size]).toEqual([7, "", 0x1000, 32]);
    expect(words(attr, 8)).toEqual([7, 0, 0, 0, 0x40000, 0, 0, 0]);
  });

  it("ppoll() passes seconds and nanoseconds, and treats a signal as not ready", () => {
    const engine = fakeEngine({ ppoll: [0, 1, -EINTR, -EAGAIN, -EPERM] });
    const system = linux(engine);
    expect([1500, 0, 0, 0].map((time) => system.ppoll(directory, time))).toEqual([false, true, false, false]);
    const view = new DataView(bytesOf(engine.calls[0]?.args[2]).buffer);
    expect([view.getBigInt64(0, true), view.getBigInt64(8, true)]).toEqual([1n, 500_000_000n]);
    expect(() => system.ppoll(directory, 0)).toThrow(NvociError);
  });

  it.each([
    [0, { exited: 0 }],
    [0x100, { exited: 1 }],
    [0xff00, { exited: 255 }],
    [9, { signalled: 9 }],
    [0x8b, { signalled: 11 }],
  ])("wait4() decodes the status %i", (status, expected) => {
    const fill = (_: SyscallArgument, buffer: SyscallArgument) => {
      new DataView(bytesOf(buffer).buffer).setUint32(0, status, true);
      return 5;
    };
    expect(linux(fakeEngine({ wait4: [-EINTR, fill as () => number] })).wait4(5)).toEqual(expected);
  });

  it("prlimit64() sets the soft and the hard limit", () => {
    const engine = fakeEngine({ prlimit64: [0] });
    linux(engine).prlimit64(8, 2 ** 33);
    expect(words(engine.calls[0]?.args[2], 4)).toEqual([0, 2, 0, 2]);
  });

  it("getrlimit() returns the hard limit and sets nothing", () => {
    const answer = (...args: unknown[]) => {
      const buffer = args[3] as Uint8Array;
      new DataView(buffer.buffer, buffer.byteOffset).setBigUint64(8, 4096n, true);
      return 0;
    };
    const engine = fakeEngine({ prlimit64: [answer as () => number] });
    expect(linux(engine).getrlimit(7)).toBe(4096);
    expect(engine.calls[0]?.args.slice(0, 3)).toEqual([0, 7, null]);
  });

  it("uses arm64's numbers and flags on arm64", () => {
    const engine = fakeEngine({ openat: [3] }, "arm64");
    const system = linux(engine);
    system.openat(CWD, "/", system.O_DIRECTORY);
    expect(engine.calls[0]?.args[2]).toBe(0o40000 | O_CLOEXEC);
  });

  it("bpf() returns the negative errno", () => {
    expect(linux(fakeEngine({ bpf: [-EPERM] })).bpf(5, new Uint8Array(64))).toBe(-EPERM);
  });

  it("spawn() names clone() when it fails", () => {
    const system = linux(fakeEngine({ rt_sigaction: [0] }));
    expect(catchError(() => system.spawn(0, new Uint8Array(0), directory))).toMatchObject({
      errno: ENOSYS,
    });
  });

  it("spawn() first stops ignoring SIGCHLD, since wait4() would fail otherwise", () => {
    const engine = { ...fakeEngine({ rt_sigaction: [0] }), spawn: () => 5 };
    expect(linux(engine).spawn(0, new Uint8Array(0), directory)).toBe(5);
    const [signal, action, old, size] = engine.calls[0]?.args ?? [];
    expect([signal, words(action, 8), old, size]).toEqual([SIGCHLD, new Array(8).fill(0), null, 8]);
  });
});
