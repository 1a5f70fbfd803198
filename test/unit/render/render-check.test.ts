import { describe, expect, it } from "vitest";
import { check, renderCheck, renderHealth } from "../../../src/render/render-check.ts";

const MISSING = check("fail", "driver-missing", {});
const MANIFEST = check("ok", "manifest", { file: "l4t.csv", found: 2, missing: ["lib, /a", "sym, /b"] });
const HOOK = check("warn", "hook-missing", { name: "nvidia-container-runtime-hook" });

describe("renderCheck()", () => {
  it("prints the status first and the remedy below", () => {
    const [line, remedy, ...rest] = renderCheck(MISSING, true);
    expect(line).toMatch(/^fail {2}\S/);
    expect(remedy).toMatch(/^ {6}\S/);
    expect(rest).toEqual([]);
  });

  it("prints what a check is about only on request", () => {
    expect(renderCheck(MANIFEST, false)).toHaveLength(1);
    expect(renderCheck(MANIFEST, true).slice(1)).toEqual(["      lib, /a", "      sym, /b"]);
  });
});

describe("renderHealth()", () => {
  it("counts problems and warnings", () => {
    expect(renderHealth([MISSING, HOOK, HOOK])).toBe("not healthy: 1 problem, 2 warnings");
  });

  it("does not report a problem for warnings", () => {
    expect(renderHealth([MANIFEST, HOOK])).toBe("healthy: 2 checks, 1 warning");
  });
});
