import { describe, expect, it } from "vitest";
import {
  chooseSelection,
  defaultSelection,
  parseL4tRelease,
} from "../../../src/manifest/select-manifests.ts";

const FIRST = "# R36 (release), REVISION: 4.3, GCID: 1, BOARD: generic, EABI: aarch64, DATE: Wed Jan  8";

describe("parseL4tRelease()", () => {
  it("reads major and revision", () => {
    const text = "# R32 (release), REVISION: 7.4, GCID: 1, BOARD: t210ref, EABI: aarch64, DATE: x\n";
    expect(parseL4tRelease(text)).toEqual({ major: 32, revision: "7.4" });
  });

  it("ignores the additional lines of newer releases", () => {
    const text = `${FIRST}\n# KERNEL_VARIANT: oot\nTARGET_USERSPACE_LIB_DIR_PATH=usr/lib/aarch64-linux-gnu/nvidia\n`;
    expect(parseL4tRelease(text)).toEqual({ major: 36, revision: "4.3" });
  });

  it.each([
    "",
    "R36 (release), REVISION: 4.3",
    "# R36",
    "# R (release), REVISION: 4",
    "# R36 (release), REVISION: x",
  ])("does not read a release from %j", (text) => {
    expect(parseL4tRelease(text)).toBeUndefined();
  });
});

describe("defaultSelection()", () => {
  it.each([
    [28, "all"],
    [32, "all"],
    [34, "base"],
    [36, "base"],
  ])("returns for L4T %i the selection %s", (major, selection) => {
    expect(defaultSelection({ major, revision: "1" })).toBe(selection);
  });

  it("returns all for an unknown release", () => {
    expect(defaultSelection(undefined)).toBe("all");
  });
});

describe("chooseSelection()", () => {
  const jetpack4 = { major: 32, revision: "7.4" };

  it("prefers the container's choice to config.toml, and config.toml to the release", () => {
    expect(chooseSelection("base", "all", jetpack4)).toBe("base");
    expect(chooseSelection(undefined, "base", jetpack4)).toBe("base");
    expect(chooseSelection(undefined, "auto", jetpack4)).toBe("all");
    expect(chooseSelection("all", "auto", undefined)).toBe("all");
  });
});
