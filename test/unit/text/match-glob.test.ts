import { describe, expect, it } from "vitest";
import { hasWildcard, matchGlob } from "../../../src/text/match-glob.ts";

describe("matchGlob()", () => {
  it.each([
    ["card*", "card0"],
    ["card*", "card"],
    ["*", "anything"],
    ["lib*.so.*", "libcuda.so.1.1"],
    ["nvidia?", "nvidia0"],
    ["nvidia[0-9]", "nvidia7"],
    ["nvidia[!a-z]", "nvidia7"],
    ["nvidia[^a-z]", "nvidia7"],
    ["[]]", "]"],
    ["[!]]", "a"],
    ["[a-]", "-"],
    ["[x", "[x"],
    ["?", "é"],
    ["?", "😀"],
    [".*", ".hidden"],
  ])("%j matches %j", (pattern, name) => {
    expect(matchGlob(pattern, name)).toBe(true);
  });

  it.each([
    ["card*", "renderD128"],
    ["nvidia?", "nvidia"],
    ["nvidia?", "nvidia10"],
    ["nvidia[0-9]", "nvidia-modeset"],
    ["nvidia[!a-z]", "nvidiax"],
    ["[b-a]", "a"],
    ["[]", "x"],
    ["*", ".hidden"],
    ["?hidden", ".hidden"],
    ["[.]hidden", ".hidden"],
    ["a\\*", "a*"],
  ])("%j does not match %j", (pattern, name) => {
    expect(matchGlob(pattern, name)).toBe(false);
  });
});

describe("hasWildcard()", () => {
  it("detects exactly the three wildcards", () => {
    expect(["a*", "a?", "a["].map(hasWildcard)).toEqual([true, true, true]);
    expect(["/usr/lib/libstdc++.so.6", "a]", "{a,b}"].map(hasWildcard)).toEqual([false, false, false]);
  });
});
