import { describe, expect, it } from "vitest";
import { ContainerMounts } from "../../../src/execute/container-mounts.ts";
import { Fd } from "../../../src/sys/fd.ts";
import { fakeSyscalls } from "../../support/kernel/fake-syscalls.ts";

const HOST = `22 1 8:1 / / rw master:1 - ext4 /dev/sda1 rw
23 22 0:20 / /run rw master:2 - tmpfs tmpfs rw
`;
const CONTAINER = `30 22 0:40 / /c/rootfs rw - overlay overlay rw
31 30 0:41 / /c/rootfs/dev rw - tmpfs tmpfs rw
32 30 8:1 /srv /c/rootfs/data rw - ext4 /dev/sda1 rw
33 30 0:20 /a /c/rootfs/run rw - tmpfs tmpfs rw
34 30 8:1 /etc/hosts /c/rootfs/etc/hosts rw - ext4 /dev/sda1 rw
35 30 8:1 /s /c/rootfs/shared rw shared:9 - ext4 /dev/sda1 rw
36 30 0:42 / /c/rootfs/proc rw - proc proc rw
`;

/** Open files by their mounts: descriptor 130 is on mount 30. `says` is whether statx(2) knows of mounts. */
function kernel(says: boolean) {
  const calls: string[] = [];
  const contents = new Map<number, string>();
  const system = fakeSyscalls({
    readlinkat: () => "/c/rootfs",
    openat: (_, path) => {
      calls.push(path);
      const fd = new Fd(calls.length, path);
      const number = Number(/fdinfo\/1(\d+)$/.exec(path)?.[1]);
      contents.set(
        fd.number,
        path.endsWith("mountinfo") ? HOST + CONTAINER : `pos:\t0\nmnt_id:\t${number}\nino:\t3\n`,
      );
      return fd;
    },
    openatIfThere: (_, name) => {
      calls.push(name);
      return name === "hosts" ? new Fd(134, name) : new Fd(130, name);
    },
    close: () => {},
    read: (fd, buffer) => {
      const bytes = new TextEncoder().encode(contents.get(fd.number));
      contents.set(fd.number, "");
      buffer.set(bytes);
      return bytes.length;
    },
    decode: (bytes, start, end) => new TextDecoder().decode(bytes.subarray(start, end)),
    statxMountId: (fd) => (says ? fd.number - 100 : undefined),
    setfsuid: () => 0,
  });
  return { mounts: new ContainerMounts(system, new Fd(130, "rootfs")), calls };
}

describe.each([
  ["statx(2)", true],
  ["fdinfo", false],
] as const)("ContainerMounts by %s", (_, says) => {
  it.each([
    ["the root's", 130, { own: true, shared: false }],
    ["a tmpfs of the container alone", 131, { own: true, shared: false }],
    ["a volume", 132, { own: false, shared: false }],
    ["a part of a tmpfs of the host's", 133, { own: false, shared: false }],
    ["a shared volume", 135, { own: false, shared: true }],
    ["procfs", 136, { own: false, shared: false }],
    ["the host's", 123, { own: false, shared: false }],
    ["one that came later", 199, { own: false, shared: false }],
  ])("knows what may be changed: %s", (_, number, kind) => {
    expect(kernel(says).mounts.kindOf(new Fd(number, "x"))).toEqual(kind);
  });

  it("knows a file that is a mount of its own, and asks for no name that nothing is mounted on", () => {
    const { mounts, calls } = kernel(says);
    const parent = new Fd(130, "/etc");
    expect(mounts.mountedOn(parent, "hosts")).toEqual({ own: false, shared: false });
    expect(mounts.mountedOn(parent, "data")).toBeUndefined();
    const before = calls.length;
    expect(mounts.mountedOn(parent, "libcuda.so.1")).toBeUndefined();
    expect(calls).toHaveLength(before);
  });
});
