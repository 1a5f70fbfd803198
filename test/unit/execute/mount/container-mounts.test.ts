import { describe, expect, it } from "vitest";
import { ContainerMounts, silentMounts } from "../../../../src/execute/mount/container-mounts.ts";
import { Fd } from "../../../../src/sys/syscalls.ts";
import { fakeSyscalls } from "../../../support/kernel/fake-syscalls.ts";

const HOST = `22 1 8:1 / / rw master:1 - ext4 /dev/sda1 rw
23 22 0:20 / /run rw master:2 - tmpfs tmpfs rw
24 22 0:46 / /home/fuse rw - fuse.portal portal rw
`;
const CONTAINER = `30 22 0:40 / /c/rootfs rw - overlay overlay rw
31 30 0:41 / /c/rootfs/dev rw - tmpfs tmpfs rw
32 30 8:1 /srv /c/rootfs/data rw - ext4 /dev/sda1 rw
33 30 0:20 /a /c/rootfs/run rw - tmpfs tmpfs rw
34 30 8:1 /etc/hosts /c/rootfs/etc/hosts rw - ext4 /dev/sda1 rw
35 30 8:1 /s /c/rootfs/shared rw shared:9 - ext4 /dev/sda1 rw
36 30 0:42 / /c/rootfs/proc rw - proc proc rw
37 30 0:43 / /c/rootfs/ssh rw - fuse.sshfs s rw
38 30 0:44 / /c/rootfs/sys/fs/fuse/connections rw - fusectl none rw
39 30 0:45 / /c/rootfs/opt ro,nosuid - tmpfs tmpfs ro
`;

/** Open files by their mounts: descriptor 130 is on mount 30. `says` is whether statx(2) returns mount ids. */
function kernel(says: boolean, table = HOST + CONTAINER) {
  const calls: string[] = [];
  const contents = new Map<number, string>();
  const system = fakeSyscalls({
    readlinkat: () => "/c/rootfs",
    openat: (_, path) => {
      calls.push(path);
      const fd = new Fd(calls.length, path);
      const number = Number(/fdinfo\/1(\d+)$/.exec(path)?.[1]);
      contents.set(fd.number, path.endsWith("mountinfo") ? table : `pos:\t0\nmnt_id:\t${number}\nino:\t3\n`);
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
  const mounts = new ContainerMounts(system, new Fd(130, "rootfs"));
  return { system, mounts, calls };
}

describe.each([
  ["statx(2)", true],
  ["fdinfo", false],
] as const)("ContainerMounts by %s", (_, says) => {
  it.each([
    ["the root's", 130, { own: true, shared: false, silent: false }],
    ["a private tmpfs of the container", 131, { own: true, shared: false, silent: false }],
    ["a read-only tmpfs of the container", 139, { own: false, shared: false, silent: false }],
    ["a volume", 132, { own: false, shared: false, silent: false }],
    ["part of a host tmpfs", 133, { own: false, shared: false, silent: false }],
    ["a shared volume", 135, { own: false, shared: true, silent: false }],
    ["procfs", 136, { own: false, shared: false, silent: false }],
    ["the kernel's list of FUSE mounts", 138, { own: false, shared: false, silent: false }],
    ["a FUSE volume", 137, { own: false, shared: false, silent: true }],
    ["the host's", 123, { own: false, shared: false, silent: false }],
    ["a later mount", 199, { own: false, shared: false, silent: false }],
  ])("decides where names may be changed: %s", (_, number, kind) => {
    expect(kernel(says).mounts.kindOf(new Fd(number, "x"))).toEqual(kind);
  });

  it("detects a file that is a mount, and does not look up names without mounts", () => {
    const { mounts, calls } = kernel(says);
    const parent = new Fd(130, "/etc");
    expect(mounts.mountedOn(parent, "hosts")).toEqual({ own: false, shared: false, silent: false });
    expect(mounts.mountedOn(parent, "data")).toBeUndefined();
    const before = calls.length;
    expect(mounts.mountedOn(parent, "libcuda.so.1")).toBeUndefined();
    expect(calls).toHaveLength(before);
  });
});

describe("silentMounts()", () => {
  const root = new Fd(130, "rootfs");

  it("returns FUSE mounts below the root, not the host's", () => {
    const { system, mounts } = kernel(true);
    expect([...mounts.silent]).toEqual([37]);
    expect([...(silentMounts(system, root, "/proc/9") ?? [])]).toEqual([37]);
  });

  it("does not return the root's own mount", () => {
    const { mounts } = kernel(true, CONTAINER.replaceAll("overlay", "fuse.overlayfs"));
    expect([...mounts.silent]).toEqual([37]);
    expect(mounts.kindOf(root)).toEqual({ own: true, shared: false, silent: false });
  });

  it("reads the process' mount table once if no FUSE is mounted", () => {
    const { system, calls } = kernel(true, (HOST + CONTAINER).replaceAll(/- fuse\.\S+/g, "- ext4"));
    const before = calls.length;
    expect(silentMounts(system, root, "/proc/9")).toBeUndefined();
    expect(calls.slice(before)).toEqual(["/proc/9/mountinfo"]);
  });
});
