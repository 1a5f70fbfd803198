import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { ContainerMounts } from "../../src/execute/mount/container-mounts.ts";
import { InTheWay } from "../../src/execute/rootfs/asides.ts";
import { Rootfs } from "../../src/execute/rootfs/rootfs.ts";
import { newUndo, type Undo } from "../../src/execute/undo.ts";
import { containerPath } from "../../src/model/paths.ts";
import { AT_EMPTY_PATH, O_PATH, O_WRONLY } from "../../src/sys/constants.ts";
import { linux } from "../../src/sys/linux.ts";
import { CWD, type Fd, type Syscalls } from "../../src/sys/syscalls.ts";
import { describeNeeding } from "../support/engines/prerequisites.ts";
import { snapshotTree } from "../support/host/snapshot.ts";
import { nodeEngine } from "../support/kernel/node-engine.ts";

const directory = temporaryDirectory("rootfs");
afterAll(() => directory.remove());

const p = containerPath;

/** An image's root seen from outside, and the object under test on it. */
interface Image {
  readonly path: string;
  readonly rootfs: Rootfs;
  readonly undo: Undo;
  /** Another start on the same root. */
  newRootfs(undo: Undo, alone?: boolean): Rootfs;
  /** The tree before any change. */
  readonly before: readonly string[];
  /** Returns the current tree. */
  now(): readonly string[];
  /** Returns the lines added and removed. */
  changes(): readonly string[];
}

describeNeeding(["root", "build"], "Rootfs", () => {
  let system: Syscalls;
  let root: Fd;
  let mask: number;
  let count = 0;
  beforeAll(() => {
    system = linux(nodeEngine());
    mask = system.umask(0);
  });
  afterEach(() => system.close(root));
  afterAll(() => system.umask(mask));

  /** Makes a root; `make` gets a function from names in it to real paths. Nothing may touch `outside`, next to it. */
  const image = (make: (at: (name: string) => string) => void = () => {}): Image => {
    const path = join(directory.path, `${count++}`, "root");
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, "../outside"), "");
    make((name) => {
      const full = join(path, name);
      if (name !== "") mkdirSync(dirname(full), { recursive: true });
      return full;
    });
    root = system.openat(CWD, path, O_PATH | system.O_DIRECTORY);
    const undo = newUndo();
    const newRootfs = (journal: Undo, alone = true) =>
      new Rootfs(system, root, journal, new ContainerMounts(system, root), alone);
    const around = join(path, "..");
    const before = snapshotTree(around);
    const now = () => snapshotTree(around);
    const changes = () => [
      ...before.filter((line) => !now().includes(line)).map((line) => `- ${line}`),
      ...now()
        .filter((line) => !before.includes(line))
        .map((line) => `+ ${line}`),
    ];
    return { path, rootfs: newRootfs(undo), newRootfs, undo, before, now, changes };
  };

  const wayError = (action: () => unknown): InTheWay => {
    try {
      action();
    } catch (error) {
      if (error instanceof InTheWay) return error;
      throw error;
    }
    throw new Error("nothing was in the way");
  };

  const inode = (path: string): number => lstatSync(path).ino;
  const leftovers = (path: string): string[] =>
    readdirSync(path, { recursive: true, encoding: "utf8" }).filter((name) => name.includes(".nvoci-"));

  /** Returns the path of a descriptor. */
  const realPath = (fd: Fd): string => realpathSync(`/proc/self/fd/${fd.number}`);

  it("view.readFile() does not wait for another process's lease on the file", () => {
    const [setSignal, setLease, writeLease, harmless] = [10, 1024, 1, 28];
    const { path, rootfs } = image((at) => writeFileSync(at("etc/ld.so.conf"), "/opt"));
    expect(rootfs.view.readFile("/etc/ld.so.conf", 100)).toHaveLength(4);
    const held = system.openat(CWD, join(path, "etc/ld.so.conf"), O_WRONLY);
    // The default signal to a lease's holder, SIGIO, would end the process.
    system.fcntl(held, setSignal, harmless);
    system.fcntl(held, setLease, writeLease);
    const before = Date.now();
    expect(rootfs.view.readFile("/etc/ld.so.conf", 100)).toBeUndefined();
    expect(Date.now() - before).toBeLessThan(5000);
    system.close(held);
  });

  it("makeDirectories() makes missing directories, readable by all, and returns the same descriptor again", () => {
    const { path, rootfs, changes } = image((at) => mkdirSync(at("usr"), { mode: 0o700 }));
    const fd = rootfs.makeDirectories(p("/usr/lib/nvidia"));
    expect(realPath(fd)).toBe(join(path, "usr/lib/nvidia"));
    expect(rootfs.makeDirectories(p("/usr/lib/nvidia"))).toBe(fd);
    expect(changes()).toEqual([
      "+ /root/usr/lib directory 755 0:0",
      "+ /root/usr/lib/nvidia directory 755 0:0",
    ]);
  });

  it("makeDirectories() follows links inside the root, wherever they point", () => {
    const { path, rootfs } = image((at) => {
      mkdirSync(at("usr/lib"));
      symlinkSync("usr/lib", at("lib"));
      symlinkSync("/lib", at("a/absolute"));
      symlinkSync("../../../../../../usr", at("a/up"));
    });
    const { length } = dirname(path);
    const places = ["/lib/x", "/a/absolute/y", "/a/up/lib/z"].map((name) => rootfs.makeDirectories(p(name)));
    expect(places.map((fd) => realPath(fd).slice(length))).toEqual([
      "/root/usr/lib/x",
      "/root/usr/lib/y",
      "/root/usr/lib/z",
    ]);
  });

  it.each([
    ["relative", "lib", "usr/lib", "/root/usr/lib/x"],
    ["absolute", "lib", "/usr/lib", "/root/usr/lib/x"],
    ["out of the root", "lib", "../../../outside-made", "/root/outside-made/x"],
    ["with dots", "opt/lib", "./../var/./lib", "/root/var/lib/x"],
    ["to a name that starts with its own", "opt/lib", "lib64", "/root/opt/lib64/x"],
  ])("makeDirectories() makes the target of a dangling link inside the root: %s", (_, name, target, expected) => {
    const { path, rootfs, undo, before, now } = image((at) => symlinkSync(target, at(name)));
    const fd = rootfs.makeDirectories(p(`/${name}/x`));
    expect(realPath(fd).slice(dirname(path).length)).toBe(expected);
    expect(readlinkSync(join(path, name))).toBe(target);
    expect(undo.rollBack()).toEqual([]);
    expect(now()).toEqual(before);
  });

  it("makeDirectories() follows a chain of dangling links", () => {
    const { path, rootfs } = image((at) => {
      symlinkSync("b", at("a"));
      symlinkSync("/c/d", at("b"));
      symlinkSync("e", at("c"));
    });
    expect(realPath(rootfs.makeDirectories(p("/a/x")))).toBe(join(path, "e/d/x"));
  });

  it.each([
    ["a link to itself", { a: "a" }],
    ["two links to each other", { a: "b", b: "a" }],
    ["a link to a path below itself", { a: "a/b" }],
  ])("makeDirectories() does not replace %s with a directory", (_, links: Record<string, string>) => {
    const { rootfs, undo, changes } = image((at) => {
      for (const [name, target] of Object.entries(links)) symlinkSync(target, at(name));
    });
    expect(wayError(() => rootfs.makeDirectories(p("/a/x"))).what).toBe("file");
    undo.rollBack();
    expect(changes()).toEqual([]);
  });

  it.each([
    ["a file", "file"],
    ["a link to a file", "toFile"],
    ["a file among the parents", "file/a"],
    ["a device", "null"],
    ["a dangling link through a file", "through"],
    ["a dangling link to a name that is too long", "long"],
  ])("makeDirectories() does not replace %s with a directory", (_, parent) => {
    const { rootfs, undo, changes } = image((at) => {
      writeFileSync(at("file"), "");
      symlinkSync("file", at("toFile"));
      symlinkSync("file/none", at("through"));
      symlinkSync("n".repeat(256), at("long"));
      system.mknodat(CWD, at("null"), 0o020666);
    });
    expect(wayError(() => rootfs.makeDirectories(p(`/${parent}/x`))).what).toBe("file");
    undo.rollBack();
    expect(changes()).toEqual([]);
  });

  it("makeDirectories() resolves .. in a dangling link from the target of the link before it", () => {
    const { path, rootfs, undo, changes } = image((at) => {
      mkdirSync(at("b/c"));
      symlinkSync("b/c", at("l"));
      symlinkSync("l/../x", at("a"));
    });
    expect(realPath(rootfs.makeDirectories(p("/a/y")))).toBe(join(path, "b/x/y"));
    undo.rollBack();
    expect(changes()).toEqual([]);
  });

  it("makeDirectories() leaves nothing behind for a link that needs too many directories", () => {
    const { rootfs, changes } = image((at) => {
      symlinkSync(`/made/${"a/".repeat(62)}a`, at("few"));
      symlinkSync(`/made2/${"a/".repeat(2000)}a`, at("many"));
    });
    expect(wayError(() => rootfs.makeDirectories(p("/many/x"))).what).toBe("file");
    expect(changes()).toEqual([]);
    rootfs.makeDirectories(p("/few"));
    expect(changes()).toHaveLength(64);
  });

  it("makeDirectories() makes at most 512 directories for all links of an image", () => {
    const { rootfs, changes } = image((at) => {
      for (let index = 0; index < 20; index++)
        symlinkSync(`/made${index}/${"a/".repeat(30)}a`, at(`l${index}`));
    });
    const blocked = Array.from({ length: 20 }, (_, index) => p(`/l${index}`)).filter((path) => {
      try {
        rootfs.makeDirectories(path);
        return false;
      } catch (error) {
        expect(error).toBeInstanceOf(InTheWay);
        return true;
      }
    });
    expect(blocked).toHaveLength(4);
    expect(changes()).toHaveLength(512);
  });

  it("makeDirectories() tries a directory that an image blocks only once, however many entries are in it", () => {
    const { rootfs } = image((at) => symlinkSync(`/made/${"a/".repeat(2000)}a`, at("many")));
    expect(wayError(() => rootfs.makeDirectories(p("/many")))).toBe(
      wayError(() => rootfs.makeDirectories(p("/many"))),
    );
  });

  it("makeDirectories() keeps using a directory that it has opened when its name changes", () => {
    const { path, rootfs } = image((at) => {
      mkdirSync(at("usr/lib"));
    });
    const fd = rootfs.makeDirectories(p("/usr/lib"));
    system.renameat(CWD, join(path, "usr"), CWD, join(path, "moved"));
    symlinkSync("/", join(path, "usr"));
    const place = rootfs.placeholder(p("/usr/lib/x"), 0o644);
    expect(place.parent).toBe(fd);
    expect(readdirSync(join(path, "moved/lib"))).toEqual(["x"]);
  });

  it("placeholder() makes an empty file of the given mode, whatever the umask is", () => {
    const { rootfs, changes } = image();
    const { parent, name } = rootfs.placeholder(p("/dev/nvidia0"), 0o666);
    expect([system.statx(parent, name, 0)?.type, name]).toEqual(["file", "nvidia0"]);
    expect(changes()).toEqual([
      "+ /root/dev directory 755 0:0",
      expect.stringMatching(/^\+ \/root\/dev\/nvidia0 file 666 0:0 0 /),
    ]);
  });

  it.each([
    ["a file", (path: string) => writeFileSync(path, "content", { mode: 0o600 })],
    ["a device", (path: string) => system.mknodat(CWD, path, 0o020600)],
    ["a FIFO", (path: string) => system.mknodat(CWD, path, 0o010600)],
  ])("placeholder() uses %s as it is", (_, make) => {
    const { rootfs, undo, changes } = image((at) => make(at("x")));
    rootfs.placeholder(p("/x"), 0o644);
    expect(changes()).toEqual([]);
    undo.commit();
    expect(changes()).toEqual([]);
  });

  /** What an image can have in a place that nvoci needs. */
  const obstacles: readonly (readonly [string, (at: (name: string) => string) => void])[] = [
    ["a link to a file", (at) => [writeFileSync(at("to"), ""), symlinkSync("to", at("d/x"))]],
    ["a dangling link", (at) => symlinkSync("/nowhere", at("d/x"))],
    ["a link to itself", (at) => symlinkSync("x", at("d/x"))],
    ["a link out of the root", (at) => symlinkSync("../../outside", at("d/x"))],
    ["a link to a directory", (at) => symlinkSync("/", at("d/x"))],
    ["an owned link", (at) => [symlinkSync("y", at("d/x")), system.fchownat(CWD, at("d/x"), 7, 8, 0x100)]],
    ["an empty directory", (at) => mkdirSync(at("d/x"))],
    [
      "an empty directory with owner and set-group-id",
      (at) => [mkdirSync(at("d/x")), chownSync(at("d/x"), 7, 8), chmodSync(at("d/x"), 0o3751)],
    ],
    ["a file", (at) => [writeFileSync(at("d/x"), "content"), chmodSync(at("d/x"), 0o4711)]],
  ];

  it.each(obstacles)("restores %s after a placeholder, a link or a directory replaced it", (_, make) => {
    for (const put of [
      (rootfs: Rootfs) => void rootfs.placeholder(p("/d/x"), 0o644),
      (rootfs: Rootfs) => rootfs.makeLink(p("/d/x"), "libx.so.1"),
      (rootfs: Rootfs) => void rootfs.directoryPlaceholder(p("/d/x")),
    ]) {
      const { path, rootfs, undo, before, now } = image(make);
      const kept = lstatSync(join(path, "d/x"));
      put(rootfs);
      expect(undo.rollBack()).toEqual([]);
      expect(now()).toEqual(before);
      // A directory is recreated, because overlayfs cannot rename one of a lower layer.
      if (!kept.isDirectory()) expect(inode(join(path, "d/x"))).toBe(kept.ino);
    }
  });

  it("keeps the owner, times and inode of a file that it sets aside and restores", () => {
    const { path, rootfs, undo } = image((at) => {
      writeFileSync(at("x"), "");
      chownSync(at("x"), 7, 8);
      utimesSync(at("x"), 1000, 2000);
    });
    const before = lstatSync(join(path, "x"));
    rootfs.makeLink(p("/x"), "y");
    expect(lstatSync(join(path, "x")).isSymbolicLink()).toBe(true);
    undo.rollBack();
    const { ino, uid, gid, mtimeMs, nlink } = before;
    expect(lstatSync(join(path, "x"))).toMatchObject({ ino, uid, gid, mtimeMs, nlink });
  });

  it.each(obstacles)("leaves nothing of %s behind after a commit", (_, make) => {
    const { path, rootfs, undo } = image(make);
    rootfs.makeLink(p("/d/x"), "libx.so.1");
    undo.commit();
    expect(readdirSync(join(path, "d"))).toEqual(["x"]);
    expect(readlinkSync(join(path, "d/x"))).toBe("libx.so.1");
    expect(leftovers(path)).toEqual([]);
  });

  it.each([
    ["placeholder()", (rootfs: Rootfs) => void rootfs.placeholder(p("/d"), 0o644)],
    ["makeLink()", (rootfs: Rootfs) => rootfs.makeLink(p("/d"), "e")],
  ])("%s does not remove a directory that is not empty", (_, put) => {
    const { rootfs, undo, changes } = image((at) => writeFileSync(at("d/content"), ""));
    expect(wayError(() => put(rootfs))).toMatchObject({ what: "directory", path: "/d" });
    undo.rollBack();
    expect(changes()).toEqual([]);
  });

  it("placeholder() replaces a link with a file, and does not write through the link", () => {
    const { path, rootfs, undo, changes } = image((at) => symlinkSync("../outside", at("x")));
    rootfs.placeholder(p("/x"), 0o644);
    undo.commit();
    expect(lstatSync(join(path, "x")).isFile()).toBe(true);
    expect(changes()).toEqual([
      "- /root/x link 0:0 -> ../outside",
      expect.stringMatching(/^\+ \/root\/x file 644/),
    ]);
  });

  it("makeLink() leaves a link with the same text alone", () => {
    const { path, rootfs, undo, changes } = image((at) => symlinkSync("libx.so.1", at("x")));
    const before = inode(join(path, "x"));
    rootfs.makeLink(p("/x"), "libx.so.1");
    undo.commit();
    expect(inode(join(path, "x"))).toBe(before);
    expect(changes()).toEqual([]);
  });

  it("makeLink() writes the text unchanged, whatever its target is", () => {
    const { path, rootfs } = image();
    for (const [index, target] of ["../../..", "/", "a//b/", "-f", "é"].entries()) {
      rootfs.makeLink(p(`/l${index}`), target);
      expect(readlinkSync(join(path, `l${index}`))).toBe(target);
    }
  });

  it("directoryPlaceholder() uses a directory as it is, with its content", () => {
    const { rootfs, changes } = image((at) => writeFileSync(at("d/content"), ""));
    rootfs.directoryPlaceholder(p("/d"));
    expect(changes()).toEqual([]);
  });

  it("rolls back everything that it made, in reverse order", () => {
    const { rootfs, undo, before, now } = image((at) => {
      symlinkSync("nowhere/deep", at("lib"));
      writeFileSync(at("usr/old"), "");
    });
    rootfs.directoryPlaceholder(p("/opt/nvidia"));
    rootfs.placeholder(p("/opt/nvidia/a/b"), 0o644);
    rootfs.placeholder(p("/lib/c"), 0o600);
    rootfs.makeLink(p("/usr/old"), "new");
    rootfs.makeLink(p("/usr/old"), "newer");
    rootfs.placeholder(p("/usr/old"), 0o644);
    expect(undo.rollBack()).toEqual([]);
    expect(now()).toEqual(before);
  });

  it("rolls back what it can when another process has put a file into its directory", () => {
    const { path, rootfs, undo } = image();
    rootfs.placeholder(p("/a/x"), 0o644);
    rootfs.placeholder(p("/b/x"), 0o644);
    writeFileSync(join(path, "a/foreign"), "");
    expect(undo.rollBack()).toHaveLength(1);
    expect(readdirSync(path)).toEqual(["a"]);
    expect(readdirSync(join(path, "a"))).toEqual(["foreign"]);
  });

  it("works in a root whose own name is a link, or that has moved since it was opened", () => {
    const { path, rootfs } = image((at) => symlinkSync("made/here", at("lib")));
    const moved = `${path}-moved`;
    system.renameat(CWD, path, CWD, moved);
    expect(realPath(rootfs.makeDirectories(p("/lib/x")))).toBe(join(moved, "made/here/x"));
  });

  /** Leaves what a killed hook leaves: makes the same calls, and neither commits nor rolls back. */
  const kill = (rootfs: Rootfs): void => {
    rootfs.makeLink(p("/d/link"), "new");
    rootfs.placeholder(p("/d/file"), 0o644);
    rootfs.directoryPlaceholder(p("/d/directory"));
    rootfs.clear(p("/d/cache"));
  };
  const killable = (at: (name: string) => string): void => {
    mkdirSync(at("d"), { recursive: true });
    for (const name of ["link", "file", "directory"]) symlinkSync(`/old/${name}`, at(`d/${name}`));
    writeFileSync(at("d/cache"), "content", { mode: 0o640 });
    writeFileSync(at(`d/${"n".repeat(255)}`), "");
  };

  it("restores what a killed hook set aside when it next opens the directory", () => {
    const { rootfs, newRootfs, before, now } = image(killable);
    kill(rootfs);
    expect(now()).not.toEqual(before);
    newRootfs(newUndo()).makeDirectories(p("/d"));
    expect(now()).toEqual(before);
  });

  it("does not restore what is set aside while another start may be running", () => {
    const { rootfs, newRootfs, now } = image(killable);
    kill(rootfs);
    const killed = now();
    newRootfs(newUndo(), false).makeDirectories(p("/d"));
    expect(now()).toEqual(killed);
  });

  it("keeps both the file set aside and the one that has since taken its place", () => {
    const { path, rootfs, newRootfs } = image(killable);
    kill(rootfs);
    writeFileSync(join(path, "d/file"), "the user's");
    writeFileSync(join(path, "d/directory/file"), "the user's");
    newRootfs(newUndo()).makeDirectories(p("/d"));
    expect(readdirSync(join(path, "d/.nvoci-aside")).sort()).toEqual(["directory", "file"]);
    expect(readlinkSync(join(path, "d/link"))).toBe("/old/link");
    expect(lstatSync(join(path, "d/file")).size).toBe(10);
  });

  it("sets aside a name of 255 bytes, and the same name again", () => {
    const name = "n".repeat(255);
    const { path, rootfs, undo, before, now } = image(killable);
    for (const target of ["one", "two", "three"]) rootfs.makeLink(p(`/d/${name}`), target);
    expect(readlinkSync(join(path, "d", name))).toBe("three");
    expect(undo.rollBack()).toEqual([]);
    expect(now()).toEqual(before);
  });

  it.each([
    ["a link to another directory", (at: string) => symlinkSync("../outside-directory", at)],
    ["a file", (at: string) => writeFileSync(at, "")],
    ["a device", (at: string) => system.mknodat(CWD, at, 0o020666)],
  ])("does not use %s with the name of its own directory for files set aside", (_, plant) => {
    const { path, rootfs, undo, changes } = image((at) => {
      mkdirSync(at("../outside-directory"), { recursive: true });
      writeFileSync(at("../outside-directory/libx.so"), "secret");
      mkdirSync(at("d"));
      symlinkSync("old", at("d/libx.so"));
      plant(at("d/.nvoci-aside"));
    });
    expect(wayError(() => rootfs.makeLink(p("/d/libx.so"), "new")).what).toBe("file");
    undo.rollBack();
    expect(changes()).toEqual([]);
    expect(readlinkSync(join(path, "d/libx.so"))).toBe("old");
  });

  it("only renames within one directory if the image has planted a directory of that name", () => {
    const { path, rootfs, undo } = image((at) => {
      writeFileSync(at("d/precious"), "content");
      symlinkSync("/", at("d/link"));
      for (const name of ["precious", "link", "more/deep"]) {
        mkdirSync(dirname(at(`d/.nvoci-aside/${name}`)), { recursive: true });
        writeFileSync(at(`d/.nvoci-aside/${name}`), "planted");
      }
      system.mknodat(CWD, at("d/.nvoci-aside/device"), 0o060666, { major: 8, minor: 0 });
    });
    rootfs.makeDirectories(p("/d"));
    undo.commit();
    expect(readFileSync(join(path, "d/precious"), "utf8")).toBe("content");
    expect(readFileSync(join(path, "d/link"), "utf8")).toBe("planted");
    expect(readdirSync(join(path, "d/.nvoci-aside")).sort()).toEqual(["more", "precious"]);
  });

  it("removes nothing that has since taken the name of a file of its own", () => {
    const { path, rootfs, undo } = image((at) => mkdirSync(at("d")));
    rootfs.placeholder(p("/d/file"), 0o644);
    rootfs.makeLink(p("/d/link"), "to");
    rootfs.directoryPlaceholder(p("/d/directory"));
    for (const name of ["file", "link", "directory"]) {
      // Keep the inode in use, or a new file could get its number.
      system.renameat(CWD, join(path, "d", name), CWD, join(path, `kept-${name}`));
    }
    writeFileSync(join(path, "d/file"), "content");
    symlinkSync("elsewhere", join(path, "d/link"));
    mkdirSync(join(path, "d/directory"));
    undo.rollBack();
    expect(readdirSync(join(path, "d")).sort()).toEqual(["directory", "file", "link"]);
  });

  it("rolls back only links where another container may have mounted something on the rest", () => {
    const { path, newRootfs } = image((at) => mkdirSync(at("d")));
    const undo = newUndo();
    const rootfs = newRootfs(undo, false);
    rootfs.placeholder(p("/d/file"), 0o644);
    rootfs.makeLink(p("/d/link"), "to");
    undo.rollBack();
    expect(readdirSync(join(path, "d"))).toEqual(["file"]);
  });

  it("view opens and reads only regular files", () => {
    const { rootfs } = image((at) => {
      writeFileSync(at("file"), "text");
      symlinkSync("/file", at("link"));
      // Opening a device without a driver would fail with ENXIO.
      system.mknodat(CWD, at("device"), 0o020666);
      system.mknodat(CWD, at("fifo"), 0o010666);
      mkdirSync(at("d"));
    });
    const read = (path: string, limit = 100) => rootfs.view.readFile(path, limit)?.length;
    expect(["/file", "/link", "/device", "/fifo", "/d", "/none"].map((path) => read(path))).toEqual([
      4,
      4,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(read("/file", 3)).toBe(3);
    const root = rootfs.view.open("/", O_PATH);
    expect(root && system.statx(root, "", AT_EMPTY_PATH)?.type).toBe("directory");
  });
});
