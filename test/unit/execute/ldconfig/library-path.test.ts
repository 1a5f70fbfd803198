import { describe, expect, it } from "vitest";
import {
  readLibraryPath,
  searchOrder,
  systemDirectories,
} from "../../../../src/execute/ldconfig/library-path.ts";
import { type Budget, newBudget, UNLIMITED } from "../../../../src/model/budget.ts";
import type { ImageView } from "../../../../src/model/views.ts";
import { collectFindings } from "../../../support/cli/collect-findings.ts";

/** An image of files by path without links; directories are implied by files. It counts queries. */
function image(files: Readonly<Record<string, string>>) {
  const asked = { files: 0, directories: 0, bytes: 0 };
  const below = (directory: string) =>
    Object.keys(files).filter((path) => path.startsWith(directory === "/" ? "/" : `${directory}/`));
  const root: Pick<ImageView, "readFile" | "readDirectory" | "type"> = {
    readFile(path, limit) {
      asked.files++;
      const bytes = new TextEncoder().encode(files[path]).subarray(0, limit);
      asked.bytes += bytes.length;
      return files[path] === undefined ? undefined : bytes;
    },
    readDirectory(path, limit) {
      asked.directories++;
      const names = below(path).map(
        (file) => file.slice(path === "/" ? 1 : path.length + 1).split("/")[0] ?? "",
      );
      return [...new Set(names)].reverse().slice(0, limit);
    },
    type: (path) => (below(path).length > 0 ? "directory" : undefined),
  };
  return { root: root as ImageView, asked };
}

const readFrom = (root: ImageView, budget: Budget = UNLIMITED) =>
  collectFindings((report) => [...readLibraryPath(root, budget, report)]);
const read = (files: Readonly<Record<string, string>>): string[] => readFrom(image(files).root).value;
const isCut = (files: Readonly<Record<string, string>>): boolean =>
  readFrom(image(files).root).findings.some(({ code }) => code === "container-limit");

describe("readLibraryPath()", () => {
  it("reads included files in the order of their names", () => {
    const files = {
      "/etc/ld.so.conf": "include /etc/ld.so.conf.d/*.conf\n/opt/last\n",
      "/etc/ld.so.conf.d/b.conf": "/b\n",
      "/etc/ld.so.conf.d/a.conf": "# Multiarch support\n/a1\n/a2 \t# trailing\n",
      "/etc/ld.so.conf.d/a.conf.bak": "/never\n",
    };
    expect(read(files)).toEqual(["/a1", "/a2", "/b", "/opt/last"]);
  });

  it("resolves a relative include from the directory of its file", () => {
    expect(
      read({
        "/etc/ld.so.conf": "include ld.so.conf.d/x.conf",
        "/etc/ld.so.conf.d/x.conf": "include more/y.conf",
        "/etc/ld.so.conf.d/more/y.conf": "/y",
      }),
    ).toEqual(["/y"]);
  });

  it("reads several patterns after one include", () => {
    expect(read({ "/etc/ld.so.conf": "include /a /b*\t/none", "/a": "/1", "/b2": "/2" })).toEqual([
      "/1",
      "/2",
    ]);
  });

  it("returns each directory once, without trailing slashes", () => {
    expect(read({ "/etc/ld.so.conf": "/usr/lib/\n/usr/lib//\n/\n/a b\n" })).toEqual([
      "/usr/lib",
      "/",
      "/a b",
    ]);
  });

  it("ignores lines that ldconfig does not treat as directories", () => {
    expect(read({ "/etc/ld.so.conf": "relative/lib\nhwcap 0 nosegneg\n\n#/comment\nincludes /x\n" })).toEqual(
      [],
    );
  });

  it("is empty without a configuration", () => {
    expect(read({})).toEqual([]);
    expect(isCut({})).toBe(false);
  });

  it("reads whole lines of the first 64 KiB of all files together, and reports the rest", () => {
    const large = { "/etc/ld.so.conf": `/a\n${"#".repeat(70_000)}` };
    expect(read(large)).toEqual(["/a"]);
    expect(isCut(large)).toBe(true);
    const { root, asked } = image({
      "/etc/ld.so.conf": "include /etc/d/*",
      ...Object.fromEntries(
        Array.from({ length: 64 }, (_, index) => [`/etc/d/${index}`, "\n".repeat(65_536)]),
      ),
    });
    expect(readFrom(root).findings).toHaveLength(1);
    expect(asked.bytes).toBeLessThan(2 * 65_536);
  });

  it("reports what it leaves out, and nothing for files that it reads completely", () => {
    const files = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`/etc/d/${index}`, "/a"]));
    const includes = { "/etc/ld.so.conf": "include /etc/d/*" };
    expect(isCut({ ...includes, ...files(63) })).toBe(false);
    expect(isCut({ ...includes, ...files(64) })).toBe(true);
    expect(isCut({ "/etc/ld.so.conf": "a\n".repeat(4096) })).toBe(false);
    expect(isCut({ "/etc/ld.so.conf": "a\n".repeat(4097) })).toBe(true);
    expect(isCut({ "/etc/ld.so.conf": "include /x\n".repeat(64) })).toBe(false);
    expect(isCut({ "/etc/ld.so.conf": "include /x\n".repeat(65) })).toBe(true);
  });

  it("matches patterns only as long as the budget lasts", () => {
    const names = Array.from({ length: 4000 }, (_, index) => `${"a".repeat(200)}${index}`);
    const files = {
      "/etc/ld.so.conf": `/first\n${`include /etc/g/*${"a".repeat(120)}b\n`.repeat(64)}`,
      ...Object.fromEntries(names.map((name) => [`/etc/g/${name}`, ""])),
    };
    let steps = 0;
    const budget = newBudget(() => 0, 10_000, 1);
    const counted: Budget = {
      spend(count) {
        steps += count;
        return budget.spend(count);
      },
    };
    const { root, asked } = image(files);
    const { value: directories, findings } = readFrom(root, counted);
    expect(directories).toEqual(["/first"]);
    expect(findings).toMatchObject([{ code: "container-limit" }]);
    expect(steps).toBeLessThan(11_000);
    expect(asked.directories).toBeLessThan(2);
  });

  it("skips lines that are not UTF-8, too long or contain NUL, and keeps the others", () => {
    const lines = `/a\n/\xff\n/${"b".repeat(2000)}\n/c\0d\n/e`;
    const bytes = Uint8Array.from(lines, (character) => character.charCodeAt(0));
    const root = { ...image({}).root, readFile: () => bytes } as unknown as ImageView;
    expect(readFrom(root).value).toEqual(["/a", "/c", "/e"]);
  });

  it("returns a bounded number of directories", () => {
    const lines = Array.from({ length: 1000 }, (_, index) => `/d${index}`);
    expect(read({ "/etc/ld.so.conf": lines.join("\n") })).toEqual(lines.slice(0, 256));
  });

  it("terminates for a file that includes itself", () => {
    const { root, asked } = image({ "/etc/ld.so.conf": "/a\ninclude /etc/*.conf\n" });
    expect(readFrom(root).value).toEqual(["/a"]);
    expect(asked.files).toBeLessThan(100);
  });

  it("reads a bounded number of files and directories, whatever an image includes", () => {
    const many = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [`/etc/d/${index}`, "include /etc/d/*"]),
    );
    const { root, asked } = image({ "/etc/ld.so.conf": "include /etc/d/* /etc/d/?\n".repeat(2000), ...many });
    readFrom(root);
    expect(asked.files).toBeLessThan(100);
    expect(asked.directories).toBeLessThan(100);
  });

  it("reads adversarial text in linear time", () => {
    const slashes = `/${"/".repeat(1000)}x\n`.repeat(65);
    const files = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`/etc/d/${index}`, slashes]));
    const started = performance.now();
    expect(
      read({
        "/etc/ld.so.conf": `include /etc/d/${"*a".repeat(60)}*b /etc/d/*`,
        [`/etc/d/${"a".repeat(250)}`]: "/never",
        ...files,
      }),
    ).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe("systemDirectories()", () => {
  it("lists those that the image has, multiarch ones first", () => {
    const { root } = image({
      "/lib64/x": "",
      "/usr/lib/x86_64-linux-gnu/x": "",
      "/usr/lib/aarch64-linux-gnu/x": "",
    });
    expect(systemDirectories(root, "x64")).toEqual(["/usr/lib/x86_64-linux-gnu", "/usr/lib", "/lib64"]);
    expect(systemDirectories(root, "arm64")).toEqual(["/usr/lib/aarch64-linux-gnu", "/usr/lib", "/lib64"]);
  });

  it("is empty for an empty image", () => {
    expect(systemDirectories(image({}).root, "x64")).toEqual([]);
  });
});

describe("searchOrder()", () => {
  it("starts with injected directories, then the image's configured ones, then the default ones", () => {
    expect(searchOrder(["/opt/a", "/opt/b"], undefined, new Set(["/z", "/y"]), ["/lib", "/usr/lib"])).toEqual(
      ["/opt/a", "/opt/b", "/z", "/y", "/lib", "/usr/lib"],
    );
  });

  it("does not move a directory that the image configures or that is a default one", () => {
    const named = new Set(["/own", "/usr/lib/tegra"]);
    expect(searchOrder(["/usr/lib/tegra", "/usr/lib", "/x"], undefined, named, ["/usr/lib"])).toEqual([
      "/x",
      "/own",
      "/usr/lib/tegra",
      "/usr/lib",
    ]);
  });

  it("puts the image's forward compatibility first", () => {
    expect(searchOrder(["/opt/a"], "/usr/local/cuda/compat", new Set(["/z"]), ["/lib"])).toEqual([
      "/usr/local/cuda/compat",
      "/opt/a",
      "/z",
      "/lib",
    ]);
  });
});
