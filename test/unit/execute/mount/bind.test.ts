import { describe, expect, it } from "vitest";
import { binder, type Expected } from "../../../../src/execute/mount/bind.ts";
import { FILE_OPTIONS } from "../../../../src/model/container-edits.ts";
import { hostPath } from "../../../../src/model/paths.ts";
import type { FileType } from "../../../../src/model/views.ts";
import {
  AT_RECURSIVE,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  MS_BIND,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REMOUNT,
} from "../../../../src/sys/constants.ts";
import { ENOSYS, EPERM } from "../../../../src/sys/errno.ts";
import { Fd, type MountAttr, type Stat, type Syscalls } from "../../../../src/sys/syscalls.ts";
import { SystemError } from "../../../../src/sys/system-error.ts";
import { catchError } from "../../../support/cli/catch-error.ts";
import { fakeSyscalls } from "../../../support/kernel/fake-syscalls.ts";

type MountCall = "open_tree" | "mount_setattr" | "move_mount" | "mount" | "umount2";

/** How a fake kernel behaves: errnos by call (the n-th `mount` is `mount#n`), and what the source is. */
interface Kernel {
  readonly fails?: Readonly<Record<string, number>>;
  readonly source?: Partial<Stat>;
  /** statfs(2) flags of the new bind mount. */
  readonly flags?: number;
}

/** A kernel that records mount calls and counts open descriptors. */
function kernel({ fails = {}, source = {}, flags = 0 }: Kernel = {}) {
  const log: (readonly [MountCall, ...unknown[]])[] = [];
  let next = 10;
  let open = 0;
  const opened = (path: string): Fd => {
    open++;
    return new Fd(next++, path);
  };
  const call = (name: MountCall, ...args: readonly unknown[]): void => {
    log.push([name, ...args]);
    const count = log.filter(([other]) => other === name).length;
    const errno = fails[`${name}#${count}`] ?? fails[name];
    if (errno !== undefined) throw new SystemError(name, [], -errno);
  };
  const system: Syscalls = fakeSyscalls({
    open_tree: (_, path) => {
      call("open_tree", path);
      return opened(path);
    },
    openat: (_, path) => opened(path),
    close: () => void open--,
    statx: () => ({ type: "file" as FileType, major: 0, minor: 0, ...source }) as Stat,
    fstatfs: () => ({ type: 0, flags }),
    mount_setattr: (_, _path, _flags, attr) => call("mount_setattr", attr),
    move_mount: (_, _path, to, name) => call("move_mount", to.number, name),
    mount: (from, to, _type, mountFlags) =>
      call("mount", typeof from === "string" ? from : from.number, to.number, mountFlags),
    umount2: (parent, name) => call("umount2", parent.number, name),
  });
  return { system, log, names: () => log.map(([name]) => name), openFiles: () => open };
}

const PLACE = { parent: new Fd(5, "/usr/lib"), name: "libcuda.so.1" };
const FROM = hostPath("/usr/lib/libcuda.so.1");
const FILE: Expected = { type: "file" };
const bindOnce = (system: Syscalls, expected = FILE) =>
  binder(system, false)(FROM, expected, PLACE, FILE_OPTIONS);
const OLD = { fails: { open_tree: ENOSYS } };

describe("binder() on a new kernel", () => {
  it("sets flags and propagation on the clone before it is attached", () => {
    const { system, log, openFiles } = kernel();
    bindOnce(system);
    expect(log).toEqual([
      ["open_tree", FROM],
      [
        "mount_setattr",
        { attrSet: MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, propagation: MS_PRIVATE },
      ],
      ["move_mount", 5, "libcuda.so.1"],
    ]);
    expect(openFiles()).toBe(0);
  });

  it.each<[string, Expected, Partial<Stat>]>([
    ["a link in a file's place", FILE, { type: "symlink" }],
    ["a directory in a file's place", FILE, { type: "directory" }],
    ["a file in a directory's place", { type: "directory" }, { type: "file" }],
    [
      "another device",
      { type: "character-device", device: { major: 195, minor: 0 } },
      { type: "character-device", major: 1, minor: 1 },
    ],
    [
      "a block device with the same number",
      { type: "character-device", device: { major: 195, minor: 0 } },
      { type: "block-device", major: 195, minor: 0 },
    ],
  ])("does not mount %s, with either set of calls", (_, expected, source) => {
    for (const fails of [{}, OLD.fails]) {
      const { system, names, openFiles } = kernel({ source, fails });
      expect(catchError(() => bindOnce(system, expected)).code).toBe("operation-failed");
      expect(names()).not.toContain("move_mount");
      expect(names()).not.toContain("mount");
      expect(openFiles()).toBe(0);
    }
  });

  it.each([
    "open_tree",
    "mount_setattr",
    "move_mount",
  ])("does not retry what %s refuses by other means", (name) => {
    const { system, names, openFiles } = kernel({ fails: { [name]: EPERM } });
    expect(catchError(() => bindOnce(system))).toMatchObject({ errno: EPERM });
    expect(names()).not.toContain("mount");
    expect(openFiles()).toBe(0);
  });
});

describe("binder() on an old kernel", () => {
  it("binds by descriptor, then sets flags and propagation on the new mount", () => {
    const { system, log, openFiles } = kernel(OLD);
    bindOnce(system);
    expect(log.slice(1)).toEqual([
      ["mount", 10, 11, MS_BIND],
      ["mount", "none", 12, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV],
      ["mount", "none", 12, MS_PRIVATE],
    ]);
    expect(openFiles()).toBe(0);
  });

  it("repeats exactly the flags of the source's file system", () => {
    const { system, log } = kernel({ ...OLD, flags: MS_NOEXEC | 0x1020 });
    bindOnce(system);
    expect(log[2]?.[3]).toBe(MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
  });

  it.each(["open_tree", "mount_setattr", "move_mount"])("remembers that the kernel lacks %s", (name) => {
    const { system, names } = kernel({ fails: { [name]: ENOSYS } });
    const bind = binder(system, false);
    bind(FROM, FILE, PLACE, FILE_OPTIONS);
    const before = names().length;
    bind(FROM, FILE, PLACE, FILE_OPTIONS);
    expect(names().slice(before)).toEqual(["mount", "mount", "mount"]);
  });

  it.each(["mount#2", "mount#3"])("unmounts a partly configured mount when %s fails", (call) => {
    const { system, names, openFiles } = kernel({ fails: { ...OLD.fails, [call]: EPERM } });
    expect(catchError(() => bindOnce(system))).toMatchObject({ errno: EPERM });
    expect(names().at(-1)).toBe("umount2");
    expect(openFiles()).toBe(0);
  });

  it("unmounts nothing when the first mount(2) fails", () => {
    const { system, names } = kernel({ fails: { ...OLD.fails, "mount#1": EPERM } });
    expect(() => bindOnce(system)).toThrow(SystemError);
    expect(names()).not.toContain("umount2");
  });
});

describe("binder() in a user namespace", () => {
  it("clones a directory with the mounts below it, which the kernel has locked", () => {
    const calls: [string, number][] = [];
    const { system } = kernel({ source: { type: "directory" } });
    const watching = {
      ...system,
      open_tree: (directory: Fd, path: string, flags: number) => {
        calls.push(["open_tree", flags & AT_RECURSIVE]);
        return system.open_tree(directory, path, flags);
      },
      mount_setattr: (tree: Fd, path: string, flags: number, attributes: MountAttr) => {
        calls.push(["mount_setattr", flags & AT_RECURSIVE]);
        return system.mount_setattr(tree, path, flags, attributes);
      },
    };
    binder(watching, true)(FROM, { type: "directory" }, PLACE, FILE_OPTIONS);
    expect(calls).toEqual([
      ["open_tree", AT_RECURSIVE],
      ["mount_setattr", AT_RECURSIVE],
    ]);
    calls.length = 0;
    binder(watching, false)(FROM, { type: "directory" }, PLACE, FILE_OPTIONS);
    expect(calls).toEqual([
      ["open_tree", 0],
      ["mount_setattr", 0],
    ]);
  });
});
