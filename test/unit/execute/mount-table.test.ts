import { describe, expect, it } from "vitest";
import { mountsBelow, parseMountTable } from "../../../src/execute/mount-table.ts";
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY } from "../../../src/sys/constants.ts";
import { Fd } from "../../../src/sys/fd.ts";
import { fakeSyscalls } from "../../support/fake-syscalls.ts";

const TABLE = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:30 / /run rw,nosuid,nodev shared:5 master:7 - tmpfs tmpfs rw,mode=755
41 22 8:1 /a\\040b /mnt/a\\040b\\134c ro,noexec,relatime master:3 propagate_from:2 - ext4 /dev/sda1 rw
42 22 8:1 / /mnt rw - ext4 /dev/shared:1 rw
`;

/** A kernel whose mount table is `text`, with an open directory at `directory`. */
const kernel = (text: string, directory = "/") => {
  const bytes = new TextEncoder().encode(text);
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
  it("reads number, place, flags and whether mounts are shared", () => {
    expect(parseMountTable(TABLE)).toEqual([
      { id: 22, point: "/", type: "ext4", flags: 0, shared: true },
      { id: 40, point: "/run", type: "tmpfs", flags: MS_NOSUID | MS_NODEV, shared: true },
      { id: 41, point: "/mnt/a b\\c", type: "ext4", flags: MS_RDONLY | MS_NOEXEC, shared: false },
      { id: 42, point: "/mnt", type: "ext4", flags: 0, shared: false },
    ]);
  });

  it("does not take a source or a file system's option for propagation", () => {
    const line = "1 1 0:1 / /x rw - fuse shared:1 rw,shared:2\n";
    expect(parseMountTable(line)).toEqual([{ id: 1, point: "/x", type: "fuse", flags: 0, shared: false }]);
  });
});

describe("mountsBelow()", () => {
  const table = ["/", "/c/rootfs", "/c/rootfs/dev", "/c/rootfs2", "/c/rootfs/dev/shm"]
    .map((point, index) => `${index} 0 0:1 / ${point} rw,nosuid - tmpfs tmpfs rw\n`)
    .join("");

  it("tells the mounts of a directory by their paths below it", () => {
    const flags = MS_NOSUID;
    expect(mountsBelow(kernel(table, "/c/rootfs"), new Fd(9, "rootfs"))).toEqual([
      { path: "/", flags, type: "tmpfs" },
      { path: "/dev", flags, type: "tmpfs" },
      { path: "/dev/shm", flags, type: "tmpfs" },
    ]);
  });

  it("tells all of them for the root directory", () => {
    const paths = mountsBelow(kernel(table, "/"), new Fd(9, "/")).map(({ path }) => path);
    expect(paths).toEqual(["/", "/c/rootfs", "/c/rootfs/dev", "/c/rootfs2", "/c/rootfs/dev/shm"]);
  });
});
