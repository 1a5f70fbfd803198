import { describe, expect, it } from "vitest";
import type { Confinement } from "../../../../src/execute/ldconfig/confinement.ts";
import { confinedSteps } from "../../../../src/execute/ldconfig/sandbox.ts";
import type { MountBelow } from "../../../../src/execute/mount/mount-table.ts";
import { CLONE_NEWNS, CLONE_NEWPID } from "../../../../src/sys/constants.ts";
import { Fd } from "../../../../src/sys/syscalls.ts";
import { fakeSyscalls } from "../../../support/kernel/fake-syscalls.ts";

const CONFINEMENT: Confinement = {
  network: new Fd(5, "net"),
  ipc: new Fd(6, "ipc"),
  owner: { uid: 100_000, gid: 100_001 },
  image: { user: { uid: 101_000, gid: 101_000 }, members: new Fd(8, "cgroup.procs") },
  rebind: undefined,
  noPivot: false,
};

/** Returns the names of the calls that a child makes, in order. */
function callsOf(
  confinement: Partial<Confinement> = {},
  program: { fd: Fd } | { path: string } = { path: "/sbin/x" },
  foreign: readonly MountBelow[] = [],
) {
  const { steps, cloneFlags } = confinedSteps(
    fakeSyscalls({ address: () => 4096, getrlimit: () => 1024 ** 5 }),
    {
      confinement: { ...CONFINEMENT, ...confinement },
      mounts: [],
      foreign,
      results: new Fd(10, "socket"),
      program,
      argv: (file) => ["ldconfig", "-f", file],
      configuration: new Uint8Array([0x2f]),
      output: new Fd(7, "pipe"),
    },
  );
  const count = steps.encode().length / 64;
  return { names: Array.from({ length: count }, (_, index) => steps.nameOf(index)), cloneFlags };
}

describe("confinedSteps()", () => {
  it("starts the child in new mount and pid namespaces", () => {
    const { cloneFlags } = callsOf();
    expect(cloneFlags & CLONE_NEWNS).toBe(CLONE_NEWNS);
    expect(cloneFlags & CLONE_NEWPID).toBe(CLONE_NEWPID);
  });

  it("changes the root before it covers mounts, and covers them before it drops privileges", () => {
    const { names } = callsOf();
    const order = ["setns", "pivot_root", "umount2", "openat", "setresgid", "setresuid", "capset", "execve"];
    const positions = order.map((name) => names.indexOf(name));
    expect(positions).not.toContain(-1);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
  });

  it("only closes descriptors and calls execve after dropping privileges", () => {
    const { names } = callsOf();
    expect(names.slice(names.indexOf("capset") + 1)).toEqual(["prctl", "close_range", "prctl", "execve"]);
  });

  it("executes a sealed copy by its descriptor, and an image's program by its path", () => {
    expect(callsOf({}, { fd: new Fd(9, "ldconfig") }).names.at(-1)).toBe("execveat");
    expect(callsOf({}, { path: "/sbin/ldconfig" }).names.at(-1)).toBe("execve");
  });

  it("moves only the image's program into the container's cgroup, before anything else", () => {
    expect(callsOf({}, { path: "/sbin/ldconfig" }).names.indexOf("write")).toBe(1);
    expect(callsOf({}, { fd: new Fd(9, "ldconfig") }).names.indexOf("write")).toBeGreaterThan(10);
  });

  it("covers every mount before a program of the image, and only silent ones before the host's", () => {
    const below = (path: string, silent: boolean): MountBelow => ({
      path: Buffer.from(path),
      flags: 0,
      silent,
    });
    const foreign = [below("/", false), below("/a", false), below("/b", true), below("/b/c", false)];
    const mounts = (program: { fd: Fd } | { path: string }, all: readonly MountBelow[]) =>
      callsOf({}, program, all).names.filter((name) => name === "mount").length;
    const host = { fd: new Fd(9, "ldconfig") };
    const image = { path: "/sbin/ldconfig" };
    // A silent mount is covered as a directory and as a file; mounts below it disappear with it.
    expect(mounts(host, foreign) - mounts(host, [])).toBe(2);
    expect(mounts(image, foreign) - mounts(image, [])).toBe(3);
  });

  it("moves the root if pivot_root is not possible", () => {
    const { names } = callsOf({ noPivot: true });
    expect(names).not.toContain("pivot_root");
    expect(names).toContain("chroot");
  });

  it("binds the root again if a user namespace has locked its mounts", () => {
    const mounts = (rebind: string | undefined) =>
      callsOf({ rebind }).names.filter((name) => name === "mount").length;
    expect(mounts("/rootfs") - mounts(undefined)).toBe(1);
  });
});
