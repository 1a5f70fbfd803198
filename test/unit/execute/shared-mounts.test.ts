import { describe, expect, it } from "vitest";
import type { Rootfs } from "../../../src/execute/rootfs.ts";
import { sharedMounts } from "../../../src/execute/shared-mounts.ts";
import { containerPath } from "../../../src/model/paths.ts";
import { Fd } from "../../../src/sys/fd.ts";
import { fakeSyscalls } from "../../support/kernel/fake-syscalls.ts";

const PRIVATE = "22 1 8:1 / / rw master:4 - ext4 /dev/sda1 rw\n";
const WITH_SHARED = `${PRIVATE}30 22 8:1 / /c/volume rw shared:9 - ext4 /dev/sda1 rw\n`;

/**
 * A kernel with a mount table, on which `volume/file` and `root/mounted` lie in mount 30 and everything else in 22.
 * It writes down what is opened.
 */
function kernel(table: string) {
  const opened: string[] = [];
  const contents = new Map<number, string>();
  const mountOf = new Map([
    [10, 22],
    [11, 30],
  ]);
  let next = 20;
  const system = fakeSyscalls({
    openat: (directory, path) => {
      opened.push(path);
      const fd = new Fd(next++, path);
      const [, described] = /fdinfo\/(\d+)$/.exec(path) ?? [];
      if (path === "/proc/self/mountinfo") contents.set(fd.number, table);
      else if (described !== undefined) {
        contents.set(
          fd.number,
          `pos:\t0\nflags:\t012100000\nmnt_id:\t${mountOf.get(Number(described))}\nino:\t3\n`,
        );
      } else mountOf.set(fd.number, path === "mounted" ? 30 : (mountOf.get(directory.number) ?? 22));
      return fd;
    },
    close: () => {},
    read: (fd, buffer) => {
      const bytes = new TextEncoder().encode(contents.get(fd.number));
      contents.set(fd.number, "");
      buffer.set(bytes);
      return bytes.length;
    },
    statx: (_, name) => (["file", "mounted"].includes(name) ? { type: "file" } : undefined) as never,
    decode: (bytes, start, end) => new TextDecoder().decode(bytes.subarray(start, end)),
  });
  const rootfs = {
    place: (path: string) => {
      const [, directory = "", name = ""] = path.split("/");
      return { parent: new Fd(directory === "volume" ? 11 : 10, directory), name };
    },
  } as unknown as Rootfs;
  const isShared = sharedMounts(system);
  return { opened, ask: (path: string) => isShared(rootfs, containerPath(path)) };
}

describe("sharedMounts()", () => {
  it("says no after one reading where nothing is shared", () => {
    const { ask, opened } = kernel(PRIVATE);
    expect([ask("/root/file"), ask("/volume/file"), ask("/root/new")]).toEqual([false, false, false]);
    expect(opened).toEqual(["/proc/self/mountinfo"]);
  });

  it("knows a place in a shared volume, whether something lies there or not", () => {
    const { ask } = kernel(WITH_SHARED);
    expect([ask("/volume/file"), ask("/volume/new")]).toEqual([true, true]);
  });

  it("knows a file that is itself a shared mount", () => {
    const { ask } = kernel(WITH_SHARED);
    expect([ask("/root/mounted"), ask("/root/file"), ask("/root/new")]).toEqual([true, false, false]);
  });
});
