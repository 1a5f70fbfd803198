import { describe, expect, it } from "vitest";
import { type Check, check } from "../../../src/model/check.ts";
import { verdict } from "../../../src/model/verdict.ts";
import { checkToJson, renderCheck, renderHealth } from "../../../src/render/render-check.ts";
import { renderVerdict } from "../../../src/render/render-verdict.ts";
import { renderCommands } from "../../../src/render/shell-command.ts";

const MISSING = check("fail", "driver-missing", {});
const MANIFEST = check("ok", "manifest", { file: "l4t.csv", found: 2, missing: ["lib, /a", "sym, /b"] });
const CLOSED = check("warn", "node-closed", { path: "/dev/nvidia0", mode: 0o600 });

describe("renderCheck()", () => {
  it("prints the status first, then what it means and the command, indented", () => {
    const [line, means, fix, ...rest] = renderCheck(MISSING, true);
    expect(line).toMatch(/^fail {2}\S/);
    expect(means).toMatch(/^ {6}\S/);
    expect(fix).toMatch(/^ {6}fix: \S/);
    expect(rest).toEqual([]);
  });

  it("prints what a check is about only on request", () => {
    expect(renderCheck(MANIFEST, false)).toHaveLength(1);
    expect(renderCheck(MANIFEST, true).slice(1)).toEqual(["      lib, /a", "      sym, /b"]);
  });
});

describe("renderCommands()", () => {
  it("quotes what a shell would read otherwise", () => {
    expect(renderCommands([["chmod", "o-w", "/etc/a b/it's $(x).csv"], ["reboot"]])).toBe(
      "chmod o-w '/etc/a b/it'\\''s $(x).csv' && reboot",
    );
    expect(renderCommands([["rm", ""]])).toBe("rm ''");
  });
});

describe("renderHealth()", () => {
  const health = (...checks: Check[]): string => renderHealth(checks);

  it("counts problems and warnings", () => {
    expect(health(MISSING, CLOSED, CLOSED)).toBe("not healthy: 1 problem, 2 warnings");
  });

  it("does not report a problem for warnings", () => {
    expect(health(MANIFEST, CLOSED)).toBe("healthy: 2 checks, 1 warning");
  });
});

it("checkToJson() leaves out what a result does not have", () => {
  expect(checkToJson(MANIFEST)).toEqual({
    code: "manifest",
    status: "ok",
    text: "l4t.csv: 2 found, 2 missing on this host",
    args: { file: "l4t.csv", found: 2, missing: ["lib, /a", "sym, /b"] },
  });
});

describe("values that an image decides", () => {
  const EVIL = "NVIDIA_VISIBLE_DEVICE=\u001b[2J\u0007$(reboot)";

  it.each([
    renderVerdict(verdict("not-requested", { nearMiss: EVIL })),
    renderVerdict(verdict("capability-missing", { requested: EVIL, including: ["video"], nearMiss: EVIL })),
    renderVerdict(verdict("gpu-not-requested", { visible: EVIL })),
    renderVerdict(verdict("image-wins", { path: EVIL, instead: EVIL, by: "RPATH" })),
    renderCheck(check("fail", "container-asks-nothing", { id: "x", nearMiss: EVIL }), true),
    renderCheck(check("fail", "container-stale", { path: EVIL, version: "1" }), true),
  ])("reach the terminal without control characters (%#)", (...lines) => {
    expect(lines.join("")).not.toMatch(/\p{Cc}/u);
  });

  it("are quoted in commands", () => {
    const requested = "utility$(reboot)";
    const lines = renderVerdict(
      verdict("capability-missing", { requested, including: ["video"], nearMiss: undefined }),
    );
    expect(lines.at(-1)).toBe("  fix: docker run -e 'NVIDIA_DRIVER_CAPABILITIES=utility$(reboot),video'");
  });
});
