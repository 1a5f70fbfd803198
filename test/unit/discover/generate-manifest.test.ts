import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generateManifest } from "../../../src/discover/generate-manifest.ts";
import { parseManifest } from "../../../src/manifest/parse-manifest.ts";
import { hostPath } from "../../../src/model/paths.ts";
import { encodeUtf8 } from "../../../src/text/utf8.ts";
import { catchError } from "../../support/cli/catch-error.ts";
import { memoryHost } from "../../support/host/memory-host.ts";

const TREE = `
  file /image/usr/lib/libb.so.1.2 = ""
  file /image/usr/lib/liba.so.1 = ""
  file /image/usr/lib/liba.a = ""
  file /image/usr/lib/.libhidden.so = ""
  symlink /image/usr/lib/libb.so -> libb.so.1.2
  symlink /image/usr/lib/libdangling.so -> gone
  dir /image/usr/local/cuda-10.2
  file /image/usr/local/cuda-10.2/lib64/libcudart.so.10 = ""
  symlink /image/usr/local/cuda -> cuda-10.2
  symlink /image/lib -> usr/lib
  char /image/dev/nvhost 1:2
  fifo /image/dev/pipe
`;

const generate = (patterns: readonly string[], excluded: readonly string[] = [], tree = TREE) =>
  generateManifest(memoryHost(tree), hostPath("/image"), patterns, excluded);

describe("generateManifest()", () => {
  it("lists files and links without the root, sorted, starting with an entry", () => {
    expect(generate(["/usr/lib/*.so*"])).toEqual([
      "lib, /usr/lib/liba.so.1",
      "sym, /usr/lib/libb.so",
      "lib, /usr/lib/libb.so.1.2",
      "sym, /usr/lib/libdangling.so",
    ]);
  });

  it("lists a link to a directory as a link", () => {
    expect(generate(["/usr/local/*"])).toEqual(["sym, /usr/local/cuda", "dir, /usr/local/cuda-10.2"]);
  });

  it("does not list the content of a listed directory", () => {
    const lines = generate(["/usr/local/cuda-10.2/lib64/*", "/usr/local/cuda-*"]);
    expect(lines).toEqual(["dir, /usr/local/cuda-10.2"]);
  });

  it("lists an entry that several patterns match once", () => {
    expect(generate(["/usr/lib/liba.so.1", "/usr/lib/liba.so*", "/usr//lib/./liba.so.1"])).toHaveLength(1);
  });

  it("lists device nodes but not FIFOs or sockets", () => {
    expect(generate(["/dev/*"])).toEqual(["dev, /dev/nvhost"]);
  });

  it.each([
    ["a name", "*.a"],
    ["a path", "/usr/lib/*.a"],
  ])("omits what an exclusion by %s matches", (_, exclusion) => {
    expect(generate(["/usr/lib/liba.*"], [exclusion])).toEqual(["lib, /usr/lib/liba.so.1"]);
  });

  it("keeps what an exclusion matches only in part", () => {
    expect(generate(["/usr/lib/liba.*"], ["lib", "/usr/*.a", "usr/lib"])).toHaveLength(2);
  });

  it("does not follow links to directories", () => {
    expect(catchError(() => generate(["/lib/*.so*"])).code).toBe("file-invalid");
    expect(catchError(() => generate(["/usr/local/cuda/lib64/*"])).code).toBe("file-invalid");
  });

  it("does not leave the tree through ..", () => {
    const outside = `${TREE}\nfile /secret = ""`;
    expect(catchError(() => generate(["/../secret"], [], outside)).code).toBe("file-invalid");
  });

  it("refuses a pattern without matches and names it", () => {
    const error = catchError(() => generate(["/usr/lib/*.so*", "/usr/lib/libc*"]));
    expect(error.code).toBe("file-invalid");
    expect(error.message).toContain('"/usr/lib/libc*"');
  });

  it("refuses a relative pattern as wrong usage", () => {
    expect(catchError(() => generate(["usr/lib/*"])).code).toBe("usage");
  });

  it.each([
    "/image/a\\tb",
    "/image/a\\u0001",
    "/image/a ",
  ])("refuses a name that a manifest cannot contain: %j", (path) => {
    const tree = `file /image/b = ""\nfile "${path}" = ""`;
    expect(catchError(() => generate(["/*"], [], tree)).code).toBe("file-invalid");
  });

  it("writes lines that parseManifest() reads back as the same entries", () => {
    const name = fc.stringMatching(/^[a-z[\]*?,#é ]{1,8}$/).filter((text) => text.trim() === text);
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 5 }), (names) => {
        const host = memoryHost([]);
        const view = {
          ...host,
          lstat: (path: string) => ({
            ...host.lstat(hostPath("/"))!,
            type: path === "/" ? "directory" : "file",
          }),
          readDirectory: () => names,
        } as typeof host;
        const lines = generateManifest(view, hostPath("/"), ["/*"], []);
        const { specs, findings } = parseManifest(encodeUtf8(`${lines.join("\n")}\n`), "x.csv");
        expect(findings).toEqual([]);
        expect(specs.map(({ type, path }) => `${type}, ${path}`)).toEqual(lines);
        expect(specs.map(({ path }) => path.slice(1))).toEqual([...names].sort());
      }),
    );
  });
});
