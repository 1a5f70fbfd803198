import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { byOpenat2, byWalk, type Resolver } from "../../src/execute/rootfs/resolve.ts";
import { AT_EMPTY_PATH, O_PATH, O_RDONLY } from "../../src/sys/constants.ts";
import { ELOOP, ENOENT } from "../../src/sys/errno.ts";
import { linux } from "../../src/sys/linux.ts";
import { CWD, type Fd, type Syscalls } from "../../src/sys/syscalls.ts";
import { SystemError } from "../../src/sys/system-error.ts";
import { describeNeeding } from "../support/engines/prerequisites.ts";
import { makeTree, randomTree, wildPath } from "../support/host/random-tree.ts";
import { nodeEngine } from "../support/kernel/node-engine.ts";
import { startSwapping } from "../support/kernel/swapper.ts";

const directory = temporaryDirectory("resolve");
afterAll(() => directory.remove());

/** Returns the object at the end of a path, or the error. */
function outcome(system: Syscalls, resolver: Resolver, path: string, flags: number): string {
  let fd: Fd;
  try {
    fd = resolver.open(path, flags);
  } catch (error) {
    if (error instanceof SystemError) return error.reason;
    throw error;
  }
  const stat = system.statx(fd, "", AT_EMPTY_PATH);
  system.close(fd);
  return `${stat?.type} ${stat?.device} ${stat?.inode}`;
}

/** Counts the entries of /proc/self/fd: always one more than the open descriptors. */
const openDescriptors = (system: Syscalls): number => {
  const fd = system.openat(CWD, "/proc/self/fd", O_RDONLY | system.O_DIRECTORY);
  const { length } = system.getdents64(fd);
  system.close(fd);
  return length;
};

describeNeeding(["root", "build"], "byWalk() compared with openat2(2)", () => {
  let system: Syscalls;
  beforeAll(() => {
    system = linux(nodeEngine());
  });
  let count = 0;

  /** Makes a root with a tree in it, one directory below what must stay out of reach. */
  const newRoot = (tree: Parameters<typeof makeTree>[1]) => {
    const path = join(directory.path, `${count++}`, "root");
    mkdirSync(path, { recursive: true });
    makeTree(path, tree);
    const fd = system.openat(CWD, path, O_PATH | system.O_DIRECTORY);
    return { path, fd, kernel: byOpenat2(system, fd), walk: byWalk(system, fd) };
  };

  const flagSets = () => {
    const { O_DIRECTORY, O_NOFOLLOW } = system;
    const both = [0, O_DIRECTORY, O_NOFOLLOW, O_DIRECTORY | O_NOFOLLOW];
    return both.flatMap((flags) => [flags | O_PATH, flags | O_RDONLY]);
  };

  it("finds the same object or fails with the same error, for any tree, path and flags", () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(randomTree, fc.array(wildPath, { minLength: 8, maxLength: 16 }), (tree, paths) => {
        const { fd, kernel, walk } = newRoot(tree);
        for (const path of paths) {
          for (const flags of flagSets()) {
            const expected = outcome(system, kernel, path, flags);
            expect(outcome(system, walk, path, flags), `${path} 0${flags.toString(8)}`).toBe(expected);
            reached.add(expected.split(" ")[0] ?? "");
          }
        }
        system.close(fd);
      }),
      { numRuns: 400 },
    );
    expect([...reached].sort()).toEqual(["ELOOP", "ENOENT", "ENOTDIR", "directory", "file", "symlink"]);
  });

  it.each([
    "/",
    ".",
    "..",
    "/../..",
    "",
    "file/",
    "file/.",
    "file/..",
    "d/",
    "d/.",
    "l",
    "l/",
    "l/.",
    "toFile/",
    "slashed",
    "up/up/up/file",
    "out",
    "deep",
    "none/..",
    "a".repeat(255),
    "a".repeat(256),
  ])("resolves %j as the kernel does", (path) => {
    const { fd, kernel, walk } = newRoot({
      file: null,
      d: { up: "..", e: {} },
      l: "d",
      toFile: "/file",
      slashed: "file/",
      up: "../..",
      out: "/etc/passwd",
      deep: "d/../d/../d/e/..//../l/e/",
    });
    for (const flags of flagSets()) {
      expect(outcome(system, walk, path, flags)).toBe(outcome(system, kernel, path, flags));
    }
    system.close(fd);
  });

  it("follows forty links and no more", () => {
    const links = Object.fromEntries(
      Array.from({ length: 41 }, (_, index) => [`l${index}`, `l${index + 1}`]),
    );
    const { kernel, walk } = newRoot({ ...links, l41: null });
    for (const resolver of [kernel, walk]) {
      expect(outcome(system, resolver, "l1", O_PATH)).toMatch(/^file /);
      expect(() => resolver.open("l0", O_PATH)).toThrow(expect.objectContaining({ errno: ELOOP }));
    }
  });

  it("walks the longest possible path without running out of descriptors", () => {
    const { kernel, walk } = newRoot({ d: {}, l: `${"d/../".repeat(800)}d`, m: `${"l/../".repeat(39)}l` });
    expect(outcome(system, walk, "m", O_PATH)).toBe(outcome(system, kernel, "m", O_PATH));
    const before = openDescriptors(system);
    const most = before + 100;
    const low = {
      ...system,
      openat: (...args: Parameters<Syscalls["openat"]>) => {
        const fd = system.openat(...args);
        expect(fd.number).toBeLessThan(most);
        return fd;
      },
    };
    expect(
      outcome(system, byWalk(low, newRoot({ d: {}, l: `${"d/../".repeat(800)}d` }).fd), "l", O_PATH),
    ).toMatch(/^directory/);
  });

  it("keeps open only the descriptor that it returns", () => {
    const { walk } = newRoot({ d: { e: { f: null } }, l: "d/e", loop: "loop" });
    const before = openDescriptors(system);
    for (const path of ["l/f", "l/f/x", "none", "loop", "d/../d/e", "/"]) {
      for (const flags of flagSets()) outcome(system, walk, path, flags);
    }
    expect(openDescriptors(system)).toBe(before);
  });

  describe.each(["kernel", "walk"] as const)("while names are exchanged, resolving by %s", (which) => {
    it.each([
      ["a directory for a link to /", "dir", "link", (canary: string) => `dir${canary}`],
      [
        "a deep directory for a shallow one",
        "a/b/c/d",
        "flat",
        (canary: string) => `a/b/c/d${"/..".repeat(20)}${canary}`,
      ],
    ])("stays in the root during an exchange of %s", async (_, one, other, pathTo) => {
      const { path, fd, ...resolvers } = newRoot({
        dir: {},
        link: "/",
        flat: {},
        a: { b: { c: { d: {} } } },
      });
      // A walk's budget is for one start, so each round has its own walk.
      const open = (target: string) =>
        (which === "walk" ? byWalk(system, fd) : resolvers.kernel).open(target, O_PATH);
      const canary = join(path, "..", "canary");
      writeFileSync(canary, "");
      const wanted = system.statx(CWD, canary, 0)?.inode;
      const swapper = await startSwapping(join(path, one), join(path, other), 1500);
      const errors = new Map<number, number>();
      let rounds = 0;
      for (; !swapper.isOver(); rounds++) {
        try {
          const found = open(pathTo(canary));
          expect(system.statx(found, "", AT_EMPTY_PATH)?.inode).not.toBe(wanted);
          system.close(found);
        } catch (error) {
          if (!(error instanceof SystemError)) throw error;
          errors.set(error.errno, (errors.get(error.errno) ?? 0) + 1);
        }
      }
      expect(await swapper.exchanges()).toBeGreaterThan(1000);
      expect(rounds).toBeGreaterThan(1000);
      expect([...errors.keys()]).toEqual([ENOENT]);
      system.close(fd);
    });
  });

  it("would leave the root if it used plain statx(2), which proves that the exchange is an attack", async () => {
    const { path } = newRoot({ dir: {}, link: "/" });
    const canary = join(path, "..", "canary");
    writeFileSync(canary, "");
    const swapper = await startSwapping(join(path, "dir"), join(path, "link"), 1500);
    let reached = 0;
    while (!swapper.isOver()) if (system.statx(CWD, `${path}/dir${canary}`, 0)?.type === "file") reached++;
    await swapper.exchanges();
    expect(reached).toBeGreaterThan(0);
  });
});
