import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { mustRun } from "../../../../fixtures/run/run-command.ts";
import { unifiedDiff } from "../../../../src/cli/configure/unified-diff.ts";

describe("unifiedDiff()", () => {
  it("is empty for equal texts", () => {
    expect(unifiedDiff("x", "a\n", "a\n")).toEqual([]);
    expect(unifiedDiff("x", undefined, undefined)).toEqual([]);
  });

  it("shows three lines around a change", () => {
    expect(unifiedDiff("x", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n")).toEqual([
      "--- x",
      "+++ x",
      "@@ -2,7 +2,7 @@",
      ...[" 2", " 3", " 4", "-5", "+five", " 6", " 7", " 8"],
    ]);
  });

  it("names /dev/null for a created or removed file", () => {
    expect(unifiedDiff("x", undefined, "a\n")).toEqual(["--- /dev/null", "+++ x", "@@ -0,0 +1,1 @@", "+a"]);
    expect(unifiedDiff("x", "a\n", undefined)).toEqual(["--- x", "+++ /dev/null", "@@ -1,1 +0,0 @@", "-a"]);
  });

  it.each([
    ["a\nb\nc\n", "a\nc\n"],
    ["a\nb", "a\nb\n"],
    ["a\nb\n", "a\nb"],
    ["a", "b"],
    ["", "a\nb\n"],
    ["1\n2\n3\n4\n5\n6\n7\n8\n9\n", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10"],
  ])("lets patch(1) turn %j into %j", (before, after) => {
    const directory = mkdtempSync(join(tmpdir(), "nvoci-diff-"));
    try {
      const file = join(directory, "x");
      writeFileSync(file, before);
      const patch = `${unifiedDiff(file, before, after).join("\n")}\n`;
      mustRun(["patch", "--quiet", "--posix", file], { input: patch });
      expect(readFileSync(file, "utf8")).toBe(after);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
