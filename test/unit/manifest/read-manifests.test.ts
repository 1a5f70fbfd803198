import { describe, expect, it } from "vitest";
import { readManifest, readManifests } from "../../../src/manifest/read-manifests.ts";
import { hostPath } from "../../../src/model/paths.ts";
import type { HostView } from "../../../src/model/views.ts";
import { EACCES, EINTR, EIO, EMFILE, ENFILE, ENOMEM } from "../../../src/sys/errno.ts";
import { SystemError } from "../../../src/sys/system-error.ts";
import { catchError } from "../../support/cli/catch-error.ts";
import { collectFindings } from "../../support/cli/collect-findings.ts";
import { memoryHost } from "../../support/host/memory-host.ts";

const D = hostPath("/etc/d");

/** Returns the content of a directory and the findings. */
function readAll(host: HostView, selection: "all" | "base") {
  const { value: specs, findings } = collectFindings((report) => readManifests(host, D, selection, report));
  return { specs, findings };
}
const read = (tree: string, selection: "all" | "base" = "all") => readAll(memoryHost(tree), selection);

describe("readManifests()", () => {
  it("reads the files in order of their names and keeps the order of lines", () => {
    const { specs, findings } = read(`
      file /etc/d/b.csv = "lib, /3"
      file /etc/d/a.csv = "lib, /1\\nlib, /2\\n"
    `);
    expect(specs.map(({ path, source }) => `${source} ${path}`)).toEqual([
      "a.csv:1 /1",
      "a.csv:2 /2",
      "b.csv:1 /3",
    ]);
    expect(findings).toEqual([]);
  });

  it("reports skipped files that are not base manifests, and does not read them", () => {
    const host = memoryHost(`
      file /etc/d/cuda.csv 0000
      file /etc/d/l4t.csv = "lib, /1"
    `);
    const { specs, findings } = readAll(host, "base");
    expect(specs).toHaveLength(1);
    expect(findings).toMatchObject([
      { code: "manifest-skipped-not-base", severity: "info", source: "cuda.csv", args: { file: "cuda.csv" } },
    ]);
    expect(host.calls.readFile).toBe(1);
  });

  it("passes on the findings about lines", () => {
    const { findings } = read(`file /etc/d/a.csv = "oops"`);
    expect(findings).toMatchObject([{ code: "manifest-line-malformed", source: "a.csv:1" }]);
  });

  it("reads 65,536 lines of all files together", () => {
    const text = JSON.stringify("lib, /a\n".repeat(40_000));
    const { specs, findings } = read(`
      file /etc/d/a.csv = ${text}
      file /etc/d/b.csv = ${text}
    `);
    expect(specs).toHaveLength(65_536);
    expect(findings).toMatchObject([{ code: "manifest-too-long", source: "b.csv:25537" }]);
  });

  it("reads a large tree's manifest of every file completely", () => {
    const lines = Array.from(
      { length: 20_000 },
      (_, index) => `lib, /usr/local/cuda-12.6/${"x".repeat(50)}${index}`,
    );
    const host = memoryHost([`file /etc/d/cuda.csv = ${JSON.stringify(lines.join("\n"))}`]);
    expect(readAll(host, "all").specs).toHaveLength(lines.length);
  });

  it("reads manifests and a directory behind symbolic links", () => {
    const host = memoryHost(`
      file /opt/real.csv = "lib, /1"
      symlink /opt/d/l4t.csv -> ../real.csv
      symlink /etc/d -> /opt/d
    `);
    expect(readAll(host, "base").specs).toMatchObject([{ path: "/1", source: "l4t.csv:1" }]);
  });

  it.each([
    ["that is a directory", "dir /etc/d/x.csv", "manifest-not-a-file"],
    ["that is a FIFO", "fifo /etc/d/x.csv", "manifest-not-a-file"],
    ["that is unreadable", "file /etc/d/x.csv 0000", "manifest-unreadable"],
    ["that is a dangling link", "symlink /etc/d/x.csv -> /nowhere", "manifest-unreadable"],
    ["that is writable by anyone", `file /etc/d/x.csv 0666 = "lib, /2"`, "manifest-writable-by-others"],
  ])("skips a manifest %s and reads the next", (_, line, code) => {
    const { specs, findings } = read(`${line}\nfile /etc/d/z.csv = "lib, /1"`);
    expect(specs).toMatchObject([{ path: "/1" }]);
    expect(findings).toMatchObject([{ code, source: "x.csv" }]);
  });

  it.each([
    ["is missing", "dir /etc", "manifest-directory-missing"],
    ["is a file", "file /etc/d", "manifest-directory-missing"],
    ["may not be read", `dir /etc/d 0000\nfile /etc/d/a.csv = "lib, /1"`, "manifest-unreadable"],
    [
      "is writable by anyone",
      `dir /etc/d 0777\nfile /etc/d/a.csv = "lib, /1"`,
      "manifest-writable-by-others",
    ],
    [
      "is writable by anyone, sticky",
      `dir /etc/d 01777\nfile /etc/d/a.csv = "lib, /1"`,
      "manifest-writable-by-others",
    ],
  ])("reads nothing if the directory %s", (_, tree, code) => {
    const { specs, findings } = read(tree);
    expect(specs).toEqual([]);
    expect(findings).toMatchObject([{ code, source: "/etc/d" }]);
  });

  it("does not enter directories", () => {
    expect(read(`file /etc/d/sub/a.csv = "lib, /1"`)).toEqual({ specs: [], findings: [] });
  });

  it("rethrows programming errors", () => {
    const host = {
      ...memoryHost("file /etc/d/a.csv"),
      readFile: () => {
        throw new TypeError("bug");
      },
    };
    expect(() => readAll(host, "all")).toThrow(TypeError);
  });
});

describe("readManifest()", () => {
  it("names a missing file", () => {
    const { findings } = collectFindings((report) =>
      readManifest(memoryHost("dir /etc"), hostPath("/etc/none.csv"), report),
    );
    expect(findings).toMatchObject([{ code: "manifest-unreadable", args: { file: "/etc/none.csv" } }]);
  });
});

describe("readManifests() on a failing machine", () => {
  it.each([EIO, ENOMEM, EMFILE, ENFILE, EINTR])("does not treat errno %i as a missing manifest", (errno) => {
    const whole = memoryHost('file /etc/d/a.csv = "lib, /1"');
    const failing = (): never => {
      throw new SystemError("openat", ["/etc/d/a.csv"], -errno);
    };
    for (const broken of [{ readFile: failing }, { readDirectory: failing }, { lstat: failing }]) {
      expect(catchError(() => readManifests({ ...whole, ...broken }, D, "all", () => {}))).toMatchObject({
        errno,
      });
    }
  });

  it("distinguishes it from a file that root may not read", () => {
    const whole = memoryHost('file /etc/d/a.csv = "lib, /1"');
    const readFile = (): never => {
      throw new SystemError("openat", ["/etc/d/a.csv"], -EACCES);
    };
    const { findings } = collectFindings((report) => readManifests({ ...whole, readFile }, D, "all", report));
    expect(findings).toMatchObject([{ code: "manifest-unreadable" }]);
  });
});
