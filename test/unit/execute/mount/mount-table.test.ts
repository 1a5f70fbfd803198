import { describe, expect, it } from "vitest";
import {
  type MountBelow,
  mountsBelow,
  outsideSilent,
  parseMountTable,
} from "../../../../src/execute/mount/mount-table.ts";
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY } from "../../../../src/sys/constants.ts";
import { Fd } from "../../../../src/sys/syscalls.ts";
import { fakeSyscalls } from "../../../support/kernel/fake-syscalls.ts";

const TABLE = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:30 / /run rw,nosuid,nodev shared:5 master:7 - tmpfs tmpfs rw,mode=755
41 22 8:1 /a\\040b /mnt/a\\040b\\134c ro,noexec,relatime master:3 propagate_from:2 - ext4 /dev/sda1 rw
42 22 8:1 / /mnt rw - ext4 /dev/shared:1 rw
`;

const SDA1 = { device: "8:1", root: "/", flags: 0, shared: false, type: "ext4", superOptions: "rw" };

/** A kernel whose mount table is `text`, with an open directory at `directory`. */
const kernel = (text: string | Uint8Array, directory = "/") => {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  let at = 0;
  return fakeSyscalls({
    openat: (_, path) => new Fd(3, path),
    close: () => {},
    read: (_, buffer) => {
      const part = bytes.subarray(at, at + Math.min(buffer.length, 100));
      buffer.set(part);
      at += part.length;
      return part.length;
    },
    readlinkat: () => directory,
    decode: (content, start, end) => new TextDecoder().decode(content.subarray(start, end)),
  });
};

describe("parseMountTable()", () => {
  it("reads id, mount point, flags and propagation", () => {
    expect(parseMountTable(TABLE)).toEqual([
      { ...SDA1, id: 22, point: "/", shared: true },
      {
        ...{ id: 40, device: "0:30", root: "/", point: "/run", flags: MS_NOSUID | MS_NODEV },
        ...{ shared: true, type: "tmpfs", superOptions: "rw,mode=755" },
      },
      { ...SDA1, id: 41, root: "/a b", point: "/mnt/a b\\c", flags: MS_RDONLY | MS_NOEXEC },
      { ...SDA1, id: 42, point: "/mnt" },
    ]);
  });

  it("does not read propagation from a source or a file system's options", () => {
    const line = "1 1 0:1 / /x rw - fuse shared:1 rw,shared:2\n";
    expect(parseMountTable(line)).toEqual([
      {
        ...{ id: 1, device: "0:1", root: "/", point: "/x", flags: 0, shared: false, type: "fuse" },
        superOptions: "rw,shared:2",
      },
    ]);
  });
});

const textsOf = (mounts: readonly MountBelow[]) =>
  mounts.map(({ path, flags }) => ({ path: Buffer.from(path).toString("latin1"), flags }));

describe("mountsBelow()", () => {
  it("keeps the bytes of a name that is not UTF-8, and skips unreachable mounts", () => {
    const points = ["/", "/a", "/a/b", "/\xff\xfe", "/a", "/a/c"];
    const lines = points.map((point, index) => `${index} 0 0:1 / ${point} rw - tmpfs tmpfs rw\n`);
    const system = kernel(Buffer.from(lines.join(""), "latin1"), "/");
    const paths = textsOf(mountsBelow(system, new Fd(9, "/"))).map(({ path }) => path);
    expect(paths).toEqual(["/", "/\xff\xfe", "/a", "/a/c"]);
  });

  const table = ["/", "/c/rootfs", "/c/rootfs/dev", "/c/rootfs2", "/c/rootfs/dev/shm"]
    .map((point, index) => `${index} 0 0:1 / ${point} rw,nosuid - tmpfs tmpfs rw\n`)
    .join("");

  it("returns the mounts of a directory by their relative paths", () => {
    const flags = MS_NOSUID;
    expect(textsOf(mountsBelow(kernel(table, "/c/rootfs"), new Fd(9, "rootfs")))).toEqual([
      { path: "/", flags },
      { path: "/dev", flags },
      { path: "/dev/shm", flags },
    ]);
  });

  it("detects silent mounts below the directory and excludes mounts behind them", () => {
    const text = [
      ["/", "fuse.overlayfs"],
      ["/ssh", "fuse.sshfs"],
      ["/ssh/\xff", "ext4"],
      ["/sshd", "fuseblk"],
      ["/x", "fusectl"],
    ].map(([point, type], index) => `${index} 0 0:1 / ${point} rw - ${type} s rw\n`);
    const mounts = mountsBelow(kernel(Buffer.from(text.join(""), "latin1")), new Fd(9, "/"));
    expect(mounts.map(({ silent }) => silent)).toEqual([false, true, false, true, false]);
    const outside = outsideSilent(mounts, mounts);
    expect(textsOf(outside).map(({ path }) => path)).toEqual(["/", "/ssh", "/sshd", "/x"]);
    expect(outsideSilent(mounts, [])).toEqual(mounts);
  });

  it("returns every mount for the root directory", () => {
    const paths = textsOf(mountsBelow(kernel(table, "/"), new Fd(9, "/"))).map(({ path }) => path);
    expect(paths).toEqual(["/", "/c/rootfs", "/c/rootfs/dev", "/c/rootfs2", "/c/rootfs/dev/shm"]);
  });
});
