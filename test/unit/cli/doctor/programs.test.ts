import { describe, expect, it } from "vitest";
import { findProgram, isNvoci } from "../../../../src/cli/doctor/programs.ts";
import { hostPath } from "../../../../src/model/paths.ts";
import { memoryHost } from "../../../support/host/memory-host.ts";

describe("findProgram()", () => {
  it("does not search other directories for an absolute path", () => {
    expect(findProgram(memoryHost("file /usr/bin/x"), "/opt/x")).toBeUndefined();
  });

  it("searches the directories in their order, and no dangling links", () => {
    const host = memoryHost("symlink /a/x -> gone\nfile /b/x\nfile /c/x");
    expect(findProgram(host, "x", ["/a", "/b", "/c"])).toBe("/b/x");
  });
});

describe("isNvoci()", () => {
  const mark = "#!/bin/sh\nexec x (nvoci)\n";
  const is = (tree: string, path: string): boolean => isNvoci(memoryHost(tree), hostPath(path));

  it("knows it by the name behind links, and by its content", () => {
    expect(
      is("file /opt/nvoci-linux-x86_64\nsymlink /usr/bin/hook -> /opt/nvoci-linux-x86_64", "/usr/bin/hook"),
    ).toBe(true);
    expect(is(`file /usr/bin/hook = ${JSON.stringify(mark)}`, "/usr/bin/hook")).toBe(true);
  });

  it("finds the mark beyond the first megabyte, and across its end", () => {
    for (const before of [(1 << 20) - 3, 1_500_000]) {
      expect(is(`file /hook = ${JSON.stringify(`${"(".repeat(before)}(nvoci)`)}`, "/hook")).toBe(true);
    }
  });

  it("does not take another program for it", () => {
    expect(is('file /usr/bin/hook = "#!/bin/sh (nvocx)"', "/usr/bin/hook")).toBe(false);
    expect(is("file /usr/bin/hook", "/usr/bin/gone")).toBe(false);
  });

  it("does not judge what it may not read", () => {
    expect(is('file /usr/bin/hook 0000 = "x"', "/usr/bin/hook")).toBe(true);
  });
});
