import { describe, expect, it } from "vitest";
import { parseCommandLine } from "../../../src/cli/parse-command-line.ts";
import { VERSION } from "../../../src/version.ts";
import { catchError } from "../../support/cli/catch-error.ts";

const text = (...words: string[]): string => {
  const parsed = parseCommandLine(words);
  return "text" in parsed ? parsed.text : "";
};

describe("parseCommandLine()", () => {
  it("returns the version", () => expect(text("--version")).toBe(`nvoci ${VERSION}`));

  it.each([
    "hook",
    "plan",
    "list",
    "doctor",
    "manifest",
    "config",
    "info",
    "system",
  ])("lists %s in the help", (command) => {
    expect(text("--help")).toMatch(new RegExp(`^  nvoci ${command}\\b`, "m"));
  });

  it.each([
    [["plan", "--help"], "--rootfs"],
    [["plan", "-h"], "--bundle"],
    [["manifest", "--help"], "manifest lint"],
    [["manifest", "lint", "--help"], "files"],
    [["config", "--help"], "config show"],
    [["system", "--help"], "system create-device-nodes"],
    [["system", "create-device-nodes", "--help"], "--dry-run"],
  ])("returns help for %j", (words, part) => expect(text(...words)).toContain(part));

  it.each([
    [["info"]],
    [["plan"]],
    [["plan", "--bundle", "/b", "--json"]],
    [["plan", "--env", "A=1", "--env", "B=2", "--rootfs", "/r", "--config=/c"]],
    [["list", "--type", "device", "--type", "file", "--long"]],
    [["doctor", "-v"]],
    [["manifest", "lint"]],
    [["manifest", "lint", "a.csv", "b.csv"]],
    [["manifest", "list", "--missing"]],
    [["config", "show"]],
    [["system", "create-device-nodes", "--dry-run", "--no-load-kmods", "--no-dev-char"]],
  ])("accepts %j without running it", (words) => {
    expect(parseCommandLine(words)).toEqual({ run: expect.any(Function) });
  });

  it.each([
    ["no command", []],
    ["an unknown command", ["bogus"]],
    ["an unknown option", ["plan", "--bogus"]],
    ["an extra argument", ["info", "more"]],
    ["an option without its value", ["plan", "--bundle"]],
    ["an option given twice", ["plan", "--config", "/a", "--config", "/b"]],
    ["an unknown type", ["list", "--type", "gpu"]],
    ["a bundle together with variables", ["plan", "--bundle", "/b", "--env", "A=1"]],
    ["a manifest command without action", ["manifest"]],
    ["an unknown manifest action", ["manifest", "bogus"]],
    ["a system command without action", ["system"]],
    ["an option in Go style", ["plan", "-config", "/c"]],
    ["a negated switch", ["plan", "--no-json"]],
  ])("refuses %s in one line that points to the help", (_, words) => {
    const error = catchError(() => parseCommandLine(words));
    expect(error).toMatchObject({ code: "usage", exitCode: 2, hint: "see nvoci --help" });
    expect(error.message).not.toContain("\n");
  });

  it("treats arguments named like object members as plain arguments", () => {
    expect(catchError(() => parseCommandLine(["plan", "--__proto__.x", "1"]))).toMatchObject({
      code: "usage",
    });
    expect(catchError(() => parseCommandLine(["constructor"]))).toMatchObject({ code: "usage" });
  });
});
