import { describe, expect, it } from "vitest";
import { NvociError } from "../../../src/model/errors.ts";
import { commandContext } from "../../support/cli/command-context.ts";
import { runWords } from "../../support/cli/run-words.ts";

const D = "/etc/nvidia-container-runtime/host-files-for-container.d";

const lint = (tree: string, ...files: string[]) => {
  const context = commandContext({ tree });
  return { status: runWords(["manifest", "lint", ...files], context), printed: context.printed };
};

describe("nvoci manifest lint", () => {
  it("prints the file and line of each finding and fails", () => {
    const { status, printed } = lint('file /m/a.csv = "lib, /x\\nlib, y\\noops"', "/m/a.csv");
    expect(status).toBe(1);
    expect(printed.map((line) => line.split(": ")[0])).toEqual(["a.csv:2", "a.csv:3", expect.any(String)]);
  });

  it("succeeds without findings and reports how much it read", () => {
    const { status, printed } = lint('file /m/a.csv = "lib, /x\\nlib, /y"', "/m/a.csv");
    expect(status).toBe(0);
    expect(printed).toEqual(["2 entries, 0 warnings"]);
  });

  it("reads every manifest of the host's directory, base or not", () => {
    const { status, printed } = lint(`file ${D}/cuda.csv = "lib, /x"\nfile ${D}/z.csv = "oops"`);
    expect(status).toBe(1);
    expect(printed[0]).toMatch(/^z\.csv:1: /);
    expect(printed.at(-1)).toBe("1 entry, 1 warning");
  });

  it("uses the directory that config.toml names", () => {
    const config = '"[nvidia-container-runtime.modes.csv]\\nmount-spec-path = \\"/d\\""';
    const context = commandContext({ tree: `file /c.toml = ${config}\nfile /d/a.csv = "oops"` });
    expect(runWords(["manifest", "lint", "--config", "/c.toml"], context)).toBe(1);
    expect(context.printed[0]).toMatch(/^a\.csv:1: /);
  });

  it.each([
    ["a missing file", "dir /m", "/m/a.csv"],
    ["a directory", "dir /m/a.csv", "/m/a.csv"],
    ["a missing manifest directory", "dir /etc", ""],
  ])("fails for %s", (_, tree, file) => {
    expect(lint(tree, ...(file === "" ? [] : [file])).status).toBe(1);
  });
});

describe("nvoci manifest list", () => {
  const tree = `
    file /etc/nv_tegra_release = "# R36 (release), REVISION: 4.3, GCID: 1, BOARD: generic\\n"
    file ${D}/l4t.csv = "lib, /a\\nsym, /b\\ndev, /dev/c*\\n"
    file ${D}/cuda.csv = "lib, /cuda"
  `;
  const list = (more: string, ...words: string[]): readonly string[] => {
    const context = commandContext({ tree: tree + more, decision: refuse });
    expect(runWords(["manifest", "list", ...words], context)).toBe(0);
    return context.printed;
  };
  /** What a server without a driver throws. */
  const refuse = () => {
    throw new NvociError("platform-unsupported", "no driver");
  };

  it("prints each parsed entry with its state", () => {
    expect(list("file /b").map((line) => line.split(/ {2,}/))).toEqual([
      ["missing", "lib", "/a", "l4t.csv:1"],
      ["found", "sym", "/b", "l4t.csv:2"],
      ["missing", "dev", "/dev/c*", "l4t.csv:3"],
    ]);
  });

  it("prints only missing entries with --missing", () =>
    expect(list("file /b", "--missing")).toHaveLength(2));

  it("prints one JSON document with --json", () => {
    expect(JSON.parse(list("file /b", "--json", "--missing").join("\n"))).toMatchObject([
      { type: "lib", path: "/a", source: "l4t.csv:1", found: false },
      { found: false },
    ]);
  });

  it("refuses to list a server's files as manifest entries", () => {
    const server =
      'file /proc/driver/nvidia/version = ""\nfile /etc/nvidia-container-runtime/config.toml = "[nvidia-container-runtime]\\nmode = \\"legacy\\""';
    expect(list(server).map((line) => line.split(" ")[0])).toEqual(["missing", "missing", "missing"]);
  });

  it("reports that a host without manifests has nothing to list, with or without a driver", () => {
    const context = commandContext({ tree: "dir /etc", decision: refuse });
    expect(runWords(["manifest", "list"], context)).toBe(0);
    expect(context.printed[0]).toBe(`no entries are read from ${D}`);
    expect(context.printed[1]).toContain("the manifest directory");
    const json = commandContext({ tree: "dir /etc", decision: refuse });
    expect(runWords(["manifest", "list", "--json"], json)).toBe(0);
    expect(json.printed).toEqual(["[]"]);
  });
});

describe("nvoci manifest generate", () => {
  const tree = `
    file /image/usr/lib/liba.so.1 = ""
    file /image/usr/lib/liba.a = ""
    symlink /link -> image
  `;

  it("prints the manifest of a tree without the excluded files", () => {
    const context = commandContext({ tree });
    const words = ["manifest", "generate", "--root", "/image", "--exclude", "*.a", "/usr/lib/*"];
    expect(runWords(words, context)).toBe(0);
    expect(context.printed).toEqual(["lib, /usr/lib/liba.so.1"]);
  });

  it("follows a link to the tree and accepts more than one pattern", () => {
    const context = commandContext({ tree });
    runWords(["manifest", "generate", "--root", "/link", "/usr/lib/*.a", "/usr/lib/*.so*"], context);
    expect(context.printed).toEqual(["lib, /usr/lib/liba.a", "lib, /usr/lib/liba.so.1"]);
  });

  it("uses / as the default tree", () => {
    const context = commandContext({ tree });
    runWords(["manifest", "generate", "/image/usr/lib/*.a"], context);
    expect(context.printed).toEqual(["lib, /image/usr/lib/liba.a"]);
  });

  it("refuses to run without a pattern", () => {
    expect(() => runWords(["manifest", "generate", "--root", "/image"], commandContext({ tree }))).toThrow();
  });
});
