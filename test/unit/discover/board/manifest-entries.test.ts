import { describe, expect, it } from "vitest";
import { FILE_OPTIONS, NO_EDITS } from "../../../../src/model/container-edits.ts";
import { type HostPath, hostPath } from "../../../../src/model/paths.ts";
import { EACCES } from "../../../../src/sys/errno.ts";
import { SystemError } from "../../../../src/sys/system-error.ts";
import { memoryHost } from "../../../support/host/memory-host.ts";
import { discoverLines } from "./discover-lines.ts";

/** Makes a host with Debian's library directories. */
const debian = (tree: string): string => `file /etc/debian_version\n${tree}`;

describe("discoverManifestEntries(): lib entries", () => {
  it("mounts a regular file read-only at its own path and names the entry", () => {
    const { edits } = discoverLines(debian("file /usr/lib/t/libx.so"), "lib, /usr/lib/t/libx.so");
    expect(edits).toEqual({
      ...NO_EDITS,
      mounts: [
        {
          hostPath: "/usr/lib/t/libx.so",
          containerPath: "/usr/lib/t/libx.so",
          kind: "file",
          options: FILE_OPTIONS,
          source: "m.csv:1",
        },
      ],
      links: [],
    });
  });

  it("keeps the order of the manifest", () => {
    const tree = debian("file /b\nfile /a\nfile /c");
    expect(discoverLines(tree, "lib, /b\nlib, /a\nlib, /c").mounts).toEqual([
      "file /b",
      "file /a",
      "file /c",
    ]);
  });

  it("keeps the listed directory even if the host reaches it through a link", () => {
    const tree = debian("file /usr/lib/firmware/x\nsymlink /lib -> usr/lib");
    expect(discoverLines(tree, "lib, /lib/firmware/x").mounts).toEqual(["file /lib/firmware/x"]);
  });

  it("recreates a symbolic link and mounts its target", () => {
    const tree = debian(
      "file /usr/include/v8.h\nsymlink /etc/alternatives/h -> /usr/include/v8.h\nsymlink /usr/include/h -> /etc/alternatives/h",
    );
    const { links, mounts, told } = discoverLines(tree, "lib, /usr/include/h");
    expect(links).toEqual([
      "/usr/include/h -> /etc/alternatives/h",
      "/etc/alternatives/h -> /usr/include/v8.h",
    ]);
    expect(mounts).toEqual(["file /usr/include/v8.h"]);
    expect(told).toEqual([]);
  });

  it("mounts a directory listed as lib and reports it", () => {
    const { mounts, told } = discoverLines(debian("dir /usr/src/x"), "lib, /usr/src/x");
    expect(mounts).toEqual(["directory /usr/src/x"]);
    expect(told).toEqual(["m.csv:1 info entry-is-directory"]);
  });

  it.each(["fifo /x", "socket /x", "char /x 1:3", "block /x 8:0"])("does not mount %s as a lib", (line) => {
    const { edits, told } = discoverLines(debian(line), "lib, /x");
    expect(edits).toEqual(NO_EDITS);
    expect(told).toEqual(["m.csv:1 warning entry-wrong-type"]);
  });

  it("does not fail for missing files", () => {
    const { edits, findings } = discoverLines(debian(""), "lib, /nowhere/x");
    expect(edits.mounts).toEqual([]);
    expect(findings).toEqual([
      {
        code: "entry-missing",
        severity: "warning",
        source: "m.csv:1",
        args: { type: "lib", path: "/nowhere/x" },
      },
    ]);
  });

  it("queries the host about once per entry", () => {
    const paths = Array.from({ length: 200 }, (_, index) => `/usr/lib/t/lib${index}.so`);
    const host = memoryHost(["file /etc/debian_version", ...paths.map((path) => `file ${path}`)]);
    discoverLines(host, paths.map((path) => `lib, ${path}`).join("\n"));
    expect(host.calls.lstat).toBeLessThan(210);
    expect(host.calls).toMatchObject({ realPath: 0, readLink: 0, readDirectory: 0, readFile: 0 });
  });
});

describe("discoverManifestEntries(): dir entries", () => {
  it("mounts a directory", () => {
    expect(discoverLines(debian("file /lib/firmware/t/x"), "dir, /lib/firmware/t").mounts).toEqual([
      "directory /lib/firmware/t",
    ]);
  });

  it("mounts a directory below /dev", () => {
    expect(discoverLines(debian("dir /dev/dri/by-path"), "dir, /dev/dri/by-path").mounts).toEqual([
      "directory /dev/dri/by-path",
    ]);
  });

  it("recreates a link to a directory and mounts the directory at its own path", () => {
    const tree = debian(
      "dir /usr/local/cuda-10.2\nsymlink /etc/alternatives/cuda -> /usr/local/cuda-10.2\nsymlink /usr/local/cuda -> ../../etc/alternatives/cuda",
    );
    const { links, mounts } = discoverLines(tree, "dir, /usr/local/cuda");
    expect(links).toEqual([
      "/usr/local/cuda -> ../../etc/alternatives/cuda",
      "/etc/alternatives/cuda -> /usr/local/cuda-10.2",
    ]);
    expect(mounts).toEqual(["directory /usr/local/cuda-10.2"]);
  });

  it.each([
    ["a file", "file /x"],
    ["a link to a file", "file /y\nsymlink /x -> y"],
    ["a device", "char /x 1:3"],
    ["the host's root", "symlink /x -> /"],
  ])("does not mount %s", (_, tree) => {
    const { edits, told } = discoverLines(debian(tree), "dir, /x");
    expect(edits).toEqual(NO_EDITS);
    expect(told).toEqual(["m.csv:1 warning entry-wrong-type"]);
  });
});

describe("discoverManifestEntries(): sym entries", () => {
  const CHAIN = debian(`
    file /usr/lib/t/libnvv4l2.so
    symlink /usr/lib/t/nvidia/libv4l2.so.0 -> ../libnvv4l2.so
    symlink /usr/lib/t/libv4l2.so.0.0.9 -> /usr/lib/t/nvidia/libv4l2.so.0
    symlink /usr/lib/t/libv4l2.so.0 -> libv4l2.so.0.0.9
  `);

  it("recreates every link of a chain with its own text and mounts the final file", () => {
    const { links, mounts, told } = discoverLines(CHAIN, "sym, /usr/lib/t/libv4l2.so.0");
    expect(links).toEqual([
      "/usr/lib/t/libv4l2.so.0 -> libv4l2.so.0.0.9",
      "/usr/lib/t/libv4l2.so.0.0.9 -> /usr/lib/t/nvidia/libv4l2.so.0",
      "/usr/lib/t/nvidia/libv4l2.so.0 -> ../libnvv4l2.so",
    ]);
    expect(mounts).toEqual(["file /usr/lib/t/libnvv4l2.so"]);
    expect(told).toEqual([]);
  });

  it("leaves listed targets to their own entries without reporting a duplicate", () => {
    const { edits, told } = discoverLines(
      CHAIN,
      `sym, /usr/lib/t/libv4l2.so.0
       lib, /usr/lib/t/libnvv4l2.so
       sym, /usr/lib/t/nvidia/libv4l2.so.0`,
    );
    expect(edits.mounts.map(({ source }) => source)).toEqual(["m.csv:2"]);
    expect(edits.links.map(({ source }) => source)).toEqual(["m.csv:1", "m.csv:1", "m.csv:3"]);
    expect(told).toEqual([]);
  });

  it("mounts the common target of several links once", () => {
    const tree = debian("file /l/x.so.1\nsymlink /l/a -> x.so.1\nsymlink /l/b -> x.so.1");
    const { mounts, links } = discoverLines(tree, "sym, /l/a\nsym, /l/b");
    expect(mounts).toEqual(["file /l/x.so.1"]);
    expect(links).toEqual(["/l/a -> x.so.1", "/l/b -> x.so.1"]);
  });

  it("mounts a regular file like a lib and a directory like a dir", () => {
    const tree = debian("file /a\ndir /b");
    const { mounts, links, told } = discoverLines(tree, "sym, /a\nsym, /b");
    expect(mounts).toEqual(["file /a", "directory /b"]);
    expect(links).toEqual([]);
    expect(told).toEqual([]);
  });

  it("resolves a relative target against the link's real directory", () => {
    const tree = debian(`
      file /opt/real/sub/libx.so
      symlink /opt/real/lib/libx.so -> ../sub/libx.so
      symlink /short -> opt/real/lib
    `);
    const { links, mounts } = discoverLines(tree, "sym, /short/libx.so");
    expect(mounts).toEqual(["file /opt/real/sub/libx.so"]);
    expect(links).toEqual(["/short/libx.so -> /opt/real/sub/libx.so"]);
  });

  it("skips and reports entries that cannot be looked up", () => {
    const host = memoryHost(debian("file /l/a\nfile /l/b\nfile /refused/c"));
    const refuse = (path: string): void => {
      if (path.startsWith("/refused")) throw new SystemError("statx", [path], -EACCES);
    };
    const lstat = (path: HostPath) => {
      refuse(path);
      return host.lstat(path);
    };
    const readDirectory = (path: HostPath) => {
      refuse(path);
      return host.readDirectory(path);
    };
    const csv = "lib, /l/a\nlib, /refused/c\nlib, /refused/*\nlib, /l/b";
    const { mounts, told } = discoverLines({ ...host, lstat, readDirectory }, csv);
    expect(mounts).toEqual(["file /l/a", "file /l/b"]);
    expect(told).toEqual(["m.csv:2 warning entry-unreadable", "m.csv:3 warning entry-unreadable"]);
  });

  it("does not treat a bug as an entry that cannot be looked up", () => {
    const host = memoryHost(debian("file /l/a"));
    const lstat = (path: HostPath) => {
      if (path === "/l/a") throw new TypeError("bug");
      return host.lstat(path);
    };
    expect(() => discoverLines({ ...host, lstat }, "lib, /l/a")).toThrow(TypeError);
  });

  it("does not create a dangling link", () => {
    const tree = debian("symlink /l/a -> b\nsymlink /l/b -> ../gone");
    const { edits, findings } = discoverLines(tree, "sym, /l/a");
    expect(edits).toEqual(NO_EDITS);
    expect(findings).toEqual([
      {
        code: "entry-dangling",
        severity: "warning",
        source: "m.csv:1",
        args: { path: "/l/a", target: "/gone" },
      },
    ]);
  });

  it("does not follow a link loop", () => {
    const { edits, told } = discoverLines(debian("symlink /l/a -> b\nsymlink /l/b -> a"), "sym, /l/a");
    expect(edits.links).toEqual([]);
    expect(told).toEqual(["m.csv:1 warning entry-dangling"]);
  });

  it.each([
    [40, []],
    [41, ["m.csv:1 warning entry-dangling"]],
  ])("follows a chain of %i links as the kernel does", (length, expected) => {
    const links = Array.from({ length }, (_, index) => `symlink /l/${index} -> ${index + 1}`);
    const tree = debian([...links, `file /l/${length}`].join("\n"));
    const { told, edits } = discoverLines(tree, "sym, /l/0");
    expect(told).toEqual(expected);
    expect(edits.links).toHaveLength(expected.length === 0 ? length : 0);
  });

  it("does not mount a device behind a link", () => {
    const { edits, told } = discoverLines(debian("char /dev/null 1:3\nsymlink /x -> dev/null"), "sym, /x");
    expect(edits.links).toEqual([]);
    expect(told).toEqual(["m.csv:1 warning entry-wrong-type"]);
  });
});

describe("discoverManifestEntries(): links to directories", () => {
  const T = "/usr/lib/aarch64-linux-gnu";
  const tree = debian(`
    file ${T}/nvidia/libcuda.so.1.1
    file ${T}/nvidia/libnvos.so
    symlink ${T}/nvidia/libcuda.so.1 -> libcuda.so.1.1
    symlink ${T}/libcuda.so -> tegra/libcuda.so.1
    symlink ${T}/tegra -> nvidia
  `);

  it("mounts the directory when no entry is inside", () => {
    const { links, mounts } = discoverLines(tree, `sym, ${T}/tegra`);
    expect(links).toEqual([`${T}/tegra -> nvidia`]);
    expect(mounts).toEqual([`directory ${T}/nvidia`]);
  });

  it("does not mount the directory when entries provide its content", () => {
    const { links, mounts } = discoverLines(tree, `sym, ${T}/tegra\nlib, ${T}/nvidia/libnvos.so`);
    expect(links).toEqual([`${T}/tegra -> nvidia`]);
    expect(mounts).toEqual([`file ${T}/nvidia/libnvos.so`]);
  });

  it("moves entries below the link into the directory, wherever the link is listed", () => {
    const { mounts, told } = discoverLines(
      tree,
      `lib, ${T}/tegra/libnvos.so
       sym, ${T}/tegra
       lib, ${T}/nvidia/libnvos.so`,
    );
    expect(mounts).toEqual([`file ${T}/nvidia/libnvos.so from ${T}/tegra/libnvos.so`]);
    expect(told).toEqual(["m.csv:3 info entry-duplicate"]);
  });

  it("keeps link targets that pass through it", () => {
    const { links, mounts } = discoverLines(tree, `sym, ${T}/libcuda.so\nsym, ${T}/tegra`);
    expect(links).toEqual([
      `${T}/libcuda.so -> tegra/libcuda.so.1`,
      `${T}/nvidia/libcuda.so.1 -> libcuda.so.1.1`,
      `${T}/tegra -> nvidia`,
    ]);
    // The whole directory is mounted too: no listed entry is inside it.
    expect(mounts).toEqual([`file ${T}/nvidia/libcuda.so.1.1`, `directory ${T}/nvidia`]);
  });

  it("makes a link through it absolute when the directory link is not listed", () => {
    const { links } = discoverLines(tree, `sym, ${T}/libcuda.so`);
    expect(links[0]).toBe(`${T}/libcuda.so -> ${T}/nvidia/libcuda.so.1`);
  });

  it("moves entries through nested listed links", () => {
    const nested = debian("file /r/sub2/f\nsymlink /r/sub -> sub2\nsymlink /l -> r");
    const { links, mounts } = discoverLines(nested, "lib, /l/sub/f\nsym, /l\nsym, /l/sub\nlib, /r/sub/f");
    expect(links).toEqual(["/l -> r", "/r/sub -> sub2"]);
    expect(mounts).toEqual(["file /r/sub2/f from /l/sub/f"]);
  });
});

describe("discoverManifestEntries(): dev entries", () => {
  it("returns the node with the host's number, mode and owner", () => {
    const { edits } = discoverLines("char /dev/nvmap 10:50 0660 0:44", "dev, nvmap");
    expect(edits.deviceNodes).toEqual([
      {
        path: "/dev/nvmap",
        hostPath: "/dev/nvmap",
        type: "c",
        major: 10,
        minor: 50,
        fileMode: 0o660,
        permissions: "rw",
        uid: 0,
        gid: 44,
        source: "m.csv:1",
      },
    ]);
  });

  it("expands wildcards to nodes in sorted order", () => {
    const tree = "char /dev/dri/card1 226:1\nchar /dev/dri/card0 226:0\nchar /dev/dri/renderD128 226:128";
    expect(discoverLines(tree, "dev, /dev/dri/card*\ndev, /dev/dri/render*").devices).toEqual([
      "/dev/dri/card0 c 226:0 0600 0:0",
      "/dev/dri/card1 c 226:1 0600 0:0",
      "/dev/dri/renderD128 c 226:128 0600 0:0",
    ]);
  });

  it("accepts a block device", () => {
    expect(discoverLines("block /dev/sda 8:0", "dev, /dev/sda").devices).toEqual(["/dev/sda b 8:0 0600 0:0"]);
  });

  it("reports another board's missing device only as info", () => {
    const { told } = discoverLines("", "dev, /dev/nvhost-vic\ndev, /dev/dri/card*");
    expect(told).toEqual(["m.csv:1 info entry-missing", "m.csv:2 info entry-no-match"]);
  });

  it.each([
    "symlink /dev/x -> null\nchar /dev/null 1:3",
    "file /dev/x",
    "dir /dev/x",
    "fifo /dev/x",
  ])("does not accept %j as a device", (tree) => {
    const { edits, told } = discoverLines(tree, "dev, /dev/x");
    expect(edits).toEqual(NO_EDITS);
    expect(told).toEqual(["m.csv:1 warning entry-wrong-type"]);
  });

  it("does not search alternate roots for devices", () => {
    const tree = "char /usr/share/nvidia-container-passthrough/dev/nvmap 10:50";
    expect(discoverLines(tree, "dev, nvmap").devices).toEqual([]);
  });
});

describe("discoverManifestEntries(): wildcards", () => {
  it("expands them for every type and in directories, sorted", () => {
    const tree = debian(
      "file /l/b/x.so\nfile /l/a/x.so\nsymlink /l/a/y.so -> x.so\ndir /l/c/d\nfile /l/a/.hidden",
    );
    const { mounts, links } = discoverLines(tree, "lib, /l/*/x.so\nsym, /l/?/y*\ndir, /l/[c-d]/*");
    expect(mounts).toEqual(["file /l/a/x.so", "file /l/b/x.so", "directory /l/c/d"]);
    expect(links).toEqual(["/l/a/y.so -> x.so"]);
  });

  it("prefers a file with exactly that name", () => {
    const tree = debian("file /l/a*\nfile /l/ab");
    expect(discoverLines(tree, "lib, /l/a*").mounts).toEqual(["file /l/a*"]);
  });

  it("reports a pattern without matches", () => {
    const { findings } = discoverLines(debian("dir /l"), "lib, /l/*.so");
    expect(findings).toEqual([
      {
        code: "entry-no-match",
        severity: "warning",
        source: "m.csv:1",
        args: { type: "lib", pattern: "/l/*.so" },
      },
    ]);
  });
});

describe("discoverManifestEntries(): duplicate entries", () => {
  it("uses the first and names it at the second", () => {
    const { mounts, findings } = discoverLines(debian("file /a"), "lib, /a\nlib, //a");
    expect(mounts).toEqual(["file /a"]);
    expect(findings).toEqual([
      {
        code: "entry-duplicate",
        severity: "info",
        source: "m.csv:2",
        args: { path: "/a", first: "m.csv:1" },
      },
    ]);
  });

  it("recreates a path listed as lib and sym if the host has a link, otherwise mounts it", () => {
    const tree = debian("file /l/libx.so.1\nsymlink /l/libx.so -> libx.so.1\nfile /l/liby.so");
    const { mounts, links, told } = discoverLines(
      tree,
      "lib, /l/libx.so\nsym, /l/libx.so\nlib, /l/liby.so\nsym, /l/liby.so",
    );
    expect(links).toEqual(["/l/libx.so -> libx.so.1"]);
    expect(mounts).toEqual(["file /l/libx.so.1", "file /l/liby.so"]);
    expect(told).toEqual(["m.csv:2 info entry-duplicate", "m.csv:4 info entry-duplicate"]);
  });
});

describe("discoverManifestEntries(): alternate roots", () => {
  const ALT = "/usr/share/nvidia-container-passthrough";
  const T = "/usr/lib/aarch64-linux-gnu";

  it("prefers the alternate root and removes it from the container path", () => {
    const tree = `file ${ALT}${T}/libx.so\nfile ${T}/libx.so`;
    expect(discoverLines(tree, `lib, ${T}/libx.so`).mounts).toEqual([
      `file ${T}/libx.so from ${ALT}${T}/libx.so`,
    ]);
  });

  it("falls back to the driver root for each entry", () => {
    const tree = debian(`dir ${ALT}\nfile ${T}/libx.so`);
    expect(discoverLines(tree, `lib, ${T}/libx.so`).mounts).toEqual([`file ${T}/libx.so`]);
  });

  it("removes the root from absolute targets and follows links between roots", () => {
    const tree = debian(`
      symlink ${ALT}${T}/a.so -> ${ALT}${T}/b.so
      symlink ${ALT}${T}/b.so -> c.so
      file ${T}/c.so
    `);
    const { links, mounts } = discoverLines(tree, `sym, ${T}/a.so`);
    expect(links).toEqual([`${T}/a.so -> ${T}/b.so`, `${T}/b.so -> c.so`]);
    expect(mounts).toEqual([`file ${T}/c.so`]);
  });

  it("joins wildcard matches over the roots, the first root winning each name", () => {
    const tree = debian(`file ${ALT}/l/b.so\nfile ${ALT}/l/a.so\nfile /l/b.so\nfile /l/c.so`);
    expect(discoverLines(tree, "lib, /l/*.so").mounts).toEqual([
      `file /l/a.so from ${ALT}/l/a.so`,
      `file /l/b.so from ${ALT}/l/b.so`,
      "file /l/c.so",
    ]);
  });

  it("queries a missing root once", () => {
    const count = (alternateRoots: string[]): number => {
      const host = memoryHost(["file /etc/debian_version", "file /a", "file /b"]);
      discoverLines(host, "lib, /a\nlib, /b", { alternateRoots: alternateRoots.map(hostPath) });
      return host.calls.lstat;
    };
    expect(count(["/absent"])).toBe(count([]) + 1);
  });

  it("finds files of a root behind a link", () => {
    const tree = debian(`
      symlink ${ALT} -> /data/tree
      file /data/tree/l/real/x.so.1
      symlink /data/tree/l/d -> real
      symlink /data/tree/l/x.so -> d/x.so.1
    `);
    const { mounts, links } = discoverLines(tree, "sym, /l/x.so");
    expect(mounts).toEqual([`file /l/real/x.so.1 from ${ALT}/l/real/x.so.1`]);
    expect(links).toEqual(["/l/x.so -> /l/real/x.so.1"]);
  });
});

describe("discoverManifestEntries(): driver root", () => {
  const driverRoot = hostPath("/run/driver");

  it("removes the root from mount paths and link targets", () => {
    const tree = `
      file /run/driver/etc/debian_version
      file /run/driver/l/x.so.1
      symlink /run/driver/l/x.so -> /l/x.so.1
      symlink /run/driver/l/y.so -> /run/driver/l/x.so.1
    `;
    const { mounts, links } = discoverLines(tree, "sym, /l/x.so\nsym, /l/y.so", { driverRoot });
    expect(mounts).toEqual(["file /l/x.so.1 from /run/driver/l/x.so.1"]);
    expect(links).toEqual(["/l/x.so -> /l/x.so.1", "/l/y.so -> /l/x.so.1"]);
  });

  it("uses the devices of its /dev, or the host's if it has none", () => {
    const own = "char /run/driver/dev/nvmap 10:50\nchar /dev/nvmap 10:99";
    expect(discoverLines(own, "dev, nvmap", { driverRoot }).devices).toEqual(["/dev/nvmap c 10:50 0600 0:0"]);
    const none = "dir /run/driver\nchar /dev/nvmap 10:99";
    expect(discoverLines(none, "dev, nvmap", { driverRoot }).devices).toEqual([
      "/dev/nvmap c 10:99 0600 0:0",
    ]);
  });
});

describe("discoverManifestEntries(): libraries directly in /usr/lib", () => {
  const T = "/usr/lib/aarch64-linux-gnu";
  const ALT = "/usr/share/nvidia-container-passthrough";
  const tree = `
    file /usr/lib/libcuda.so.1.1
    symlink /usr/lib/libcuda.so.1 -> libcuda.so.1.1
    symlink /usr/lib/libcuda.so -> /usr/lib/libcuda.so.1
    symlink /usr/lib/gbm/drm_gbm.so -> ../libcuda.so.1.1
    file /usr/lib64/libwide.so
    file ${T}/tegra-egl/libEGL.so.0
    file ${ALT}/usr/lib/from-debian/libz.so
    file /usr/share/x.json
    file /lib/firmware/f
    dir /usr/lib/gstreamer-1.0
  `;
  const csv = `
    lib, /usr/lib/libcuda.so.1.1
    sym, /usr/lib/libcuda.so.1
    sym, /usr/lib/libcuda.so
    sym, /usr/lib/gbm/drm_gbm.so
    lib, /usr/lib64/libwide.so
    lib, ${T}/tegra-egl/libEGL.so.0
    lib, /usr/lib/from-debian/libz.so
    lib, /usr/share/x.json
    lib, /lib/firmware/f
    dir, /usr/lib/gstreamer-1.0
  `;

  it("moves them to the library directory of Debian-like containers", () => {
    const { mounts, links, told } = discoverLines(tree, csv);
    expect(mounts).toEqual([
      `file ${T}/libcuda.so.1.1 from /usr/lib/libcuda.so.1.1`,
      `file ${T}/libwide.so from /usr/lib64/libwide.so`,
      `file ${T}/tegra-egl/libEGL.so.0`,
      `file /usr/lib/from-debian/libz.so from ${ALT}/usr/lib/from-debian/libz.so`,
      "file /usr/share/x.json",
      "file /lib/firmware/f",
      `directory ${T}/gstreamer-1.0 from /usr/lib/gstreamer-1.0`,
    ]);
    expect(links).toEqual([
      `${T}/libcuda.so.1 -> libcuda.so.1.1`,
      `${T}/libcuda.so -> ${T}/libcuda.so.1`,
      `${T}/gbm/drm_gbm.so -> ../libcuda.so.1.1`,
    ]);
    expect(told).toEqual([]);
  });

  it.each([
    ["the container is not Debian-like", tree, false],
    ["the host is Debian-like", `${tree}\nfile ${T}/libc.so.6`, true],
    ["the host has a Debian version", `${tree}\nfile /etc/debian_version`, true],
  ])("does not move them when %s", (_, host, debianLike) => {
    const { mounts, links } = discoverLines(host, csv, { isMultiarch: () => debianLike });
    expect(mounts).toContain("file /usr/lib/libcuda.so.1.1");
    expect(links).toContain("/usr/lib/libcuda.so -> /usr/lib/libcuda.so.1");
    expect(mounts.concat(links).filter((line) => line.includes(`${T}/libcuda`))).toEqual([]);
  });

  it("reports two files with the same destination as duplicates", () => {
    const both = `${tree}\nfile ${T}/libcuda.so.1.1`;
    const { mounts, told } = discoverLines(both, `lib, ${T}/libcuda.so.1.1\nlib, /usr/lib/libcuda.so.1.1`);
    expect(mounts).toEqual([`file ${T}/libcuda.so.1.1`]);
    expect(told).toEqual(["m.csv:2 info entry-duplicate"]);
  });
});

describe("discoverManifestEntries(): the release file", () => {
  it("mounts it if the host has it", () => {
    const { edits } = discoverLines(debian("file /etc/nv_tegra_release"), "");
    expect(edits.mounts).toMatchObject([
      { containerPath: "/etc/nv_tegra_release", source: "nv_tegra_release" },
    ]);
  });

  it("does not mount it twice when a manifest lists it", () => {
    const { edits, told } = discoverLines(debian("file /etc/nv_tegra_release"), "lib, /etc/nv_tegra_release");
    expect(edits.mounts).toMatchObject([{ source: "m.csv:1" }]);
    expect(told).toEqual([]);
  });

  it("does not report it when the host lacks it", () => {
    expect(discoverLines(debian(""), "")).toMatchObject({ mounts: [], told: [] });
  });
});
