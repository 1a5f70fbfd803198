import { describe, expect, it } from "vitest";
import { parseManifest } from "../../../src/manifest/parse-manifest.ts";

const parse = (text: string) => parseManifest(new TextEncoder().encode(text), "l4t.csv");
const paths = (text: string) => parse(text).specs.map(({ path }) => path);
const codes = (text: string) => parse(text).findings.map(({ code }) => code);
const onlyFinding = (text: string) => {
  const { specs, findings } = parse(text);
  expect(specs).toEqual([]);
  expect(findings).toHaveLength(1);
  return findings[0];
};

describe("parseManifest()", () => {
  it("reads the four types with file and line", () => {
    const text = "dev, /dev/nvmap\nlib, /usr/lib/libx.so\nsym, /usr/lib/liby.so\ndir, /lib/firmware\n";
    expect(parse(text)).toEqual({
      specs: [
        { type: "dev", path: "/dev/nvmap", source: "l4t.csv:1" },
        { type: "lib", path: "/usr/lib/libx.so", source: "l4t.csv:2" },
        { type: "sym", path: "/usr/lib/liby.so", source: "l4t.csv:3" },
        { type: "dir", path: "/lib/firmware", source: "l4t.csv:4" },
      ],
      findings: [],
    });
  });

  it("reads a last line without line feed", () => {
    expect(paths("lib, /a\nlib, /b")).toEqual(["/a", "/b"]);
  });

  it("counts blank lines and comments, as an editor does", () => {
    expect(parse("\n# note\n   \nlib, /a").specs[0]?.source).toBe("l4t.csv:4");
  });

  it("ignores blank lines and comments", () => {
    expect(parse("\n  \n\t\r\n# note\n  # a, b\nlib, /a\n").findings).toEqual([]);
  });

  it("trims spaces, tabs, carriage returns and a byte order mark", () => {
    expect(paths("\ufefflib,/a\r\n\t lib\t ,\t/b \t\r\n lib,      /c      ")).toEqual(["/a", "/b", "/c"]);
  });

  it("splits at the first comma and keeps spaces and commas in the path", () => {
    expect(paths("lib, /opt/a b, c.so")).toEqual(["/opt/a b, c.so"]);
  });

  it("keeps characters beyond ASCII", () => {
    expect(paths("lib, /opt/größe/😀")).toEqual(["/opt/größe/😀"]);
  });

  it("keeps wildcards unchanged", () => {
    expect(paths("dev, /dev/dri/card*")).toEqual(["/dev/dri/card*"]);
  });

  it("normalizes paths", () => {
    expect(paths("lib, //lib/firmware/x\nlib, /usr/./lib//y/\nlib, /usr/lib/../z")).toEqual([
      "/lib/firmware/x",
      "/usr/lib/y",
      "/usr/z",
    ]);
  });

  it("places a device's relative path in /dev", () => {
    expect(paths("dev, nvhost-gpu\ndev, nvgpu/igpu0/ctrl\ndev, dev/nvmap\ndev, dri/card*")).toEqual([
      "/dev/nvhost-gpu",
      "/dev/nvgpu/igpu0/ctrl",
      "/dev/nvmap",
      "/dev/dri/card*",
    ]);
  });

  it("reads at most as many lines as asked, and reports the first of the rest", () => {
    for (const end of ["", "\n", "\xff"]) {
      const bytes = Uint8Array.from(`lib, /a\n\nlib, /b\nlib, /c${end}`, (letter) => letter.charCodeAt(0));
      const { specs, findings } = parseManifest(bytes, "l4t.csv", 3);
      expect(specs.map(({ path }) => path)).toEqual(["/a", "/b"]);
      expect(findings).toMatchObject([{ code: "manifest-too-long", source: "l4t.csv:4" }]);
      const { findings: none } = parseManifest(bytes.subarray(0, 17), "l4t.csv", 3);
      expect(none).toEqual([]);
    }
  });

  it("keeps duplicate entries, which discovery reports", () => {
    expect(paths("lib, /a\nlib, /a\n")).toEqual(["/a", "/a"]);
  });

  it("accepts a path of 4095 bytes", () => {
    expect(paths(`lib, /${"a".repeat(4094)}`)).toHaveLength(1);
  });

  it.each([
    ["a line without a comma", "/usr/lib/libx.so", "manifest-line-malformed"],
    ["an unknown type", "symlink, /a", "manifest-type-unknown"],
    ["a type in capitals", "LIB, /a", "manifest-type-unknown"],
    ["a missing type", ", /a", "manifest-type-unknown"],
    ["the name of an object's own property as a type", "constructor, /a", "manifest-type-unknown"],
    ["a missing path", "lib,   ", "manifest-path-empty"],
    ["a relative path", "lib, usr/lib/x", "manifest-path-relative"],
    ["an unfilled template", `lib, $${"{libdir}"}/x`, "manifest-path-relative"],
    ["the whole root", "dir, /usr/..", "manifest-path-root"],
  ])("refuses %s", (_, line, code) => {
    expect(onlyFinding(line)).toMatchObject({ code, severity: "warning", source: "l4t.csv:1" });
  });

  it("refuses a path with a NUL", () => {
    expect(onlyFinding("lib, /a\0b")).toMatchObject({
      code: "manifest-path-invalid",
      args: { reason: "nul" },
    });
  });

  it.each([
    ["ASCII", "a".repeat(4095)],
    ["longer in bytes than in characters", "€".repeat(1365)],
  ])("refuses a path of 4096 bytes: %s", (_, rest) => {
    const reason = "too-long";
    expect(onlyFinding(`lib, /${rest}`)).toMatchObject({ code: "manifest-path-invalid", args: { reason } });
  });

  it("refuses a path that is not UTF-8, and keeps the lines around it", () => {
    const head = new TextEncoder().encode("lib, /a\nlib, /");
    const tail = new TextEncoder().encode("\nlib, /b");
    const { specs, findings } = parseManifest(Uint8Array.of(...head, 0xff, 0x41, ...tail), "x.csv");
    expect(specs.map(({ source }) => source)).toEqual(["x.csv:1", "x.csv:3"]);
    expect(findings).toMatchObject([
      {
        code: "manifest-path-invalid",
        source: "x.csv:2",
        args: { path: "lib, /\\xffA", reason: "not-utf8" },
      },
    ]);
  });

  it("ignores a comment that is not UTF-8", () => {
    const bytes = Uint8Array.of(0x23, 0xe9, 0x0a, ...new TextEncoder().encode("lib, /a"));
    expect(parseManifest(bytes, "x.csv").findings).toEqual([]);
  });

  it.each([
    ["no bytes", ""],
    ["only blank lines and comments", "\n  \n# nothing yet\n"],
  ])("reads a manifest of %s as empty", (_, text) => {
    expect(onlyFinding(text)).toMatchObject({ code: "manifest-empty", source: "l4t.csv" });
  });

  it("keeps the other lines after a bad one", () => {
    expect(paths("what\nlib, /a\nlib,\nfoo, /x\nlib, /b")).toEqual(["/a", "/b"]);
    expect(codes("what\nlib, /a\nlib,\nfoo, /x\nlib, /b")).toEqual([
      "manifest-line-malformed",
      "manifest-path-empty",
      "manifest-type-unknown",
    ]);
  });

  it("reads files of exactly one memory page", () => {
    const line = "lib, /usr/lib/aaaaaaaaaaaaaaaaa\n";
    expect(line).toHaveLength(32);
    expect(parse(line.repeat(128)).specs).toHaveLength(128);
  });
});
