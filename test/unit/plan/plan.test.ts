import { describe, expect, it } from "vitest";
import { type ContainerEdits, FILE_OPTIONS } from "../../../src/model/container-edits.ts";
import { containerPath, hostPath } from "../../../src/model/paths.ts";
import type { Operation, OperationOf } from "../../../src/plan/operation.ts";
import { plan as planEdits } from "../../../src/plan/plan.ts";
import { device, edits, link, mount } from "../../support/host/edits.ts";

const LDCONFIG = { from: "host", path: hostPath("/sbin/ldconfig") } as const;
const OPTIONS: Partial<ContainerEdits> & { readonly cgroups: boolean } = {
  ldconfig: LDCONFIG,
  cgroups: true,
};

/** Plans edits, most of which are the same in most tests. */
const plan = (given: ContainerEdits, { cgroups, ...others } = OPTIONS): Operation[] =>
  planEdits({ ...given, ...others }, { cgroups });

/** Returns `op path` of each operation. */
const outline = (operations: readonly Operation[]): string[] =>
  operations.map((operation) => ("path" in operation ? `${operation.op} ${operation.path}` : operation.op));

const only = <K extends Operation["op"]>(operations: readonly Operation[], op: K): OperationOf<K> => {
  const found = operations.filter((operation) => operation.op === op);
  expect(found).toHaveLength(1);
  return found[0] as OperationOf<K>;
};

describe("plan(): order", () => {
  it("is directories from the outside in, files, links, devices, the cache, the cgroup", () => {
    const input = edits({
      deviceNodes: [device("/dev/nvidia0", 195, 0)],
      links: [link("/usr/lib/libb.so", "libb.so.1")],
      mounts: [
        mount("file", "/usr/lib/libb.so.1"),
        mount("directory", "/opt/deep", "/opt/a/b"),
        mount("directory", "/opt/wide", "/opt"),
        mount("file", "/usr/bin/nvidia-smi"),
      ],
    });
    expect(outline(plan(input, OPTIONS))).toEqual([
      "bind-directory /opt",
      "bind-directory /opt/a/b",
      "bind-file /usr/lib/libb.so.1",
      "bind-file /usr/bin/nvidia-smi",
      "make-link /usr/lib/libb.so",
      "bind-device /dev/nvidia0",
      "update-ldcache",
      "allow-devices",
    ]);
  });

  it("is the order of discovery among equals, and the edits stay unchanged", () => {
    const mounts = Object.freeze([mount("directory", "/b"), mount("directory", "/a")]);
    expect(outline(plan(edits({ mounts }), OPTIONS))).toEqual(["bind-directory /b", "bind-directory /a"]);
  });

  it("keeps the details and the source of each operation", () => {
    const input = edits({
      deviceNodes: [device("/dev/nvidia0", 195, 0)],
      mounts: [mount("file", "/run/driver/libx", "/usr/lib/libx")],
      links: [link("/usr/lib/y", "../y")],
    });
    const [file, made, node] = plan(input, OPTIONS);
    expect(file).toEqual({
      op: "bind-file",
      hostPath: "/run/driver/libx",
      path: "/usr/lib/libx",
      options: FILE_OPTIONS,
      source: "test.csv:/usr/lib/libx",
    });
    expect(made).toEqual({
      op: "make-link",
      path: "/usr/lib/y",
      target: "../y",
      source: "test.csv:/usr/lib/y",
    });
    expect(node).toMatchObject({ op: "bind-device", type: "c", major: 195, minor: 0, fileMode: 0o666 });
  });

  it("is empty without edits", () => {
    expect(plan(edits({}), OPTIONS)).toEqual([]);
  });
});

describe("plan(): entries inside a mounted directory", () => {
  it("are not mounted again: files and directories", () => {
    const mounts = [
      mount("directory", "/usr/local/cuda"),
      mount("directory", "/usr/local/cuda/lib64"),
      mount("file", "/usr/local/cuda/lib64/libx.so.1"),
    ];
    expect(outline(plan(edits({ mounts }), OPTIONS))).toEqual([
      "bind-directory /usr/local/cuda",
      "update-ldcache",
    ]);
  });

  it("are not linked again: the mount is read-only", () => {
    const input = edits({
      mounts: [mount("directory", "/opt")],
      links: [link("/opt/a", "b"), link("/opt2", "b")],
    });
    expect(outline(plan(input, OPTIONS))).toEqual(["bind-directory /opt", "make-link /opt2"]);
  });

  it("are mounted if they are other files of the host", () => {
    const mounts = [mount("directory", "/opt"), mount("file", "/elsewhere/x", "/opt/x")];
    expect(outline(plan(edits({ mounts }), OPTIONS))).toContain("bind-file /opt/x");
  });

  it("are found if the directory is mounted under another name", () => {
    const mounts = [mount("directory", "/run/driver", "/opt"), mount("file", "/run/driver/x", "/opt/x")];
    expect(outline(plan(edits({ mounts }), OPTIONS))).toEqual(["bind-directory /opt"]);
  });

  it("are decided by the innermost directory, which hides the outer ones", () => {
    const mounts = [
      mount("directory", "/opt"),
      mount("directory", "/elsewhere", "/opt/a"),
      mount("directory", "/opt/a/b"),
      mount("file", "/opt/a/x"),
    ];
    expect(outline(plan(edits({ mounts }), OPTIONS))).toEqual([
      "bind-directory /opt",
      "bind-directory /opt/a",
      "bind-directory /opt/a/b",
      "bind-file /opt/a/x",
    ]);
  });

  it("do not include names that share only a prefix", () => {
    const mounts = [mount("directory", "/opt/a"), mount("file", "/opt/ab")];
    expect(outline(plan(edits({ mounts }), OPTIONS))).toContain("bind-file /opt/ab");
  });
});

describe("plan(): musl's list of directories", () => {
  const given = { mounts: [mount("file", "/a/libx.so.1")], muslPathFile: containerPath("/etc/musl.path") };

  it("gets the folders of libraries, after the image's own forward-compatibility libraries", () => {
    const compatFolder = containerPath("/compat");
    const operation = only(plan(edits({ ...given, compatFolder }), OPTIONS), "update-musl-path");
    expect(operation).toMatchObject({ path: "/etc/musl.path", folders: ["/compat", "/a"] });
  });

  it("stays alone without libraries, and in images without musl", () => {
    const other = { ...given, mounts: [mount("file", "/a/x")] };
    expect(outline(plan(edits(other), OPTIONS))).toEqual(["bind-file /a/x"]);
    expect(outline(plan(edits({ mounts: given.mounts }), OPTIONS)).join()).not.toContain("musl");
  });
});

describe("plan(): the library cache", () => {
  const folders = (given: Parameters<typeof edits>[0], options = OPTIONS) => {
    const found = plan(edits(given), options).filter((operation) => operation.op === "update-ldcache");
    return (found[0] as OperationOf<"update-ldcache"> | undefined)?.folders;
  };

  it("gets the folder of each library once: of files, links and directories", () => {
    const given = {
      mounts: [mount("file", "/a/libx.so.1"), mount("file", "/a/liby.so"), mount("file", "/b/ld-linux.so.2")],
      links: [link("/c/libz.so", "libz.so.1")],
    };
    const libraryFolders = [containerPath("/d"), containerPath("/a")];
    expect(folders(given, { ...OPTIONS, libraryFolders })).toEqual(["/a", "/b", "/c", "/d"]);
  });

  it("gets the folder of a library inside a mounted directory", () => {
    expect(folders({ mounts: [mount("directory", "/opt"), mount("file", "/opt/lib/libx.so.1")] })).toEqual([
      "/opt/lib",
    ]);
  });

  it.each([
    "/etc/libx.conf",
    "/usr/bin/x.so.1",
    "/usr/lib/libx.sox",
    "/usr/lib/lib.socket",
    "/opt/x.so",
  ])("is left alone for %s", (path) => {
    expect(folders({ mounts: [mount("file", path)] })).toBeUndefined();
  });

  it("is left alone without an ldconfig", () => {
    expect(
      folders({ mounts: [mount("file", "/a/libx.so")] }, { ...OPTIONS, ldconfig: undefined }),
    ).toBeUndefined();
  });
});

describe("plan(): the device cgroup", () => {
  const rules = (...nodes: readonly ReturnType<typeof device>[]) =>
    only(plan(edits({ deviceNodes: nodes }), OPTIONS), "allow-devices").rules;

  it("allows each number once", () => {
    const nodes = [device("/dev/a", 195, 0), device("/dev/b", 195, 0), device("/dev/c", 195, 255)];
    expect(rules(...nodes).map(({ minor }) => minor)).toEqual([0, 255]);
  });

  it("allows everything that two nodes with the same number need", () => {
    expect(rules(device("/dev/a", 195, 0, "rw"), device("/dev/b", 195, 0, "m"))).toEqual([
      { type: "c", major: 195, minor: 0, access: "rwm" },
    ]);
    expect(rules(device("/dev/a", 195, 0, "rwm"), device("/dev/b", 195, 0, "r"))).toMatchObject([
      { access: "rwm" },
    ]);
  });

  it("distinguishes a block device from a character device with the same number", () => {
    expect(rules(device("/dev/a", 8, 0), { ...device("/dev/b", 8, 0), type: "b" })).toHaveLength(2);
  });

  it("is left alone if config.json forbids changes, and without devices", () => {
    const nodes = edits({ deviceNodes: [device("/dev/a", 1, 1)] });
    expect(outline(plan(nodes, { ...OPTIONS, cgroups: false }))).toEqual(["bind-device /dev/a"]);
    expect(plan(edits({}), OPTIONS)).toEqual([]);
  });
});
