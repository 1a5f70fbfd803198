import { describe, expect, it } from "vitest";
import { finding } from "../../../src/model/finding.ts";
import { containerPath } from "../../../src/model/paths.ts";
import type { Operation } from "../../../src/plan/operation.ts";
import { catchError } from "../../support/cli/catch-error.ts";
import { commandContext } from "../../support/cli/command-context.ts";
import { runWords } from "../../support/cli/run-words.ts";

const LINK: Operation = { op: "make-link", path: containerPath("/a"), target: "b", source: "l4t.csv:1" };
const MISSING = finding("entry-missing", "info", "l4t.csv:2", { type: "lib", path: "/x" });
const CONFIG_JSON = JSON.stringify({ process: { env: ["A=1"] }, root: { path: "rootfs" } });

describe("nvoci plan", () => {
  it("plans for a container that requests everything, without reading an image", () => {
    const context = commandContext();
    expect(runWords(["plan"], context)).toBe(0);
    const [[spec, root, config]] = context.plans as [(typeof context.plans)[0]];
    expect(spec.env).toEqual(["NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=all"]);
    expect([root, config]).toEqual([undefined, undefined]);
  });

  it("lets --env replace the request and --rootfs name the root", () => {
    const context = commandContext();
    runWords(
      ["plan", "--env", "NVIDIA_VISIBLE_DEVICES=0", "--env", "B=", "--rootfs", "/r/", "--config", "/c"],
      context,
    );
    expect(context.plans[0]?.[0].env.slice(2)).toEqual(["NVIDIA_VISIBLE_DEVICES=0", "B="]);
    expect(context.plans[0]?.slice(1)).toEqual(["/r", "/c"]);
  });

  it("reads a bundle and its root", () => {
    const context = commandContext({ tree: [`file /b/config.json = ${JSON.stringify(CONFIG_JSON)}`] });
    expect(runWords(["plan", "--bundle", "/b"], context)).toBe(0);
    expect(context.plans[0]).toMatchObject([{ env: ["A=1"] }, "/b/rootfs", undefined]);
  });

  it("resolves relative paths from the current directory", () => {
    const tree = [
      "symlink /proc/self/cwd -> /home/me",
      `file /home/me/b/config.json = ${JSON.stringify(CONFIG_JSON)}`,
    ];
    const context = commandContext({ tree });
    runWords(["plan", "--bundle", "b", "--rootfs", "../image"], context);
    expect(context.plans[0]?.[1]).toBe("/home/image");
  });

  it("prints numbered operations with their source, then findings", () => {
    const context = commandContext({ decision: { operations: [LINK], findings: [MISSING] } });
    runWords(["plan"], context);
    expect(context.printed[0]).toMatch(/^1\. .*\/a.*\[l4t\.csv:1\]$/);
    expect(context.printed.at(-1)).toMatch(/^info: l4t\.csv:2: /);
  });

  it("prints one JSON document with unchanged operations and findings", () => {
    const context = commandContext({ decision: { operations: [LINK], findings: [MISSING] } });
    expect(runWords(["plan", "--json"], context)).toBe(0);
    const document = JSON.parse(context.printed.join("\n"));
    expect(document).toEqual({ operations: [LINK], findings: [MISSING] });
    expect(Object.keys(document)).toEqual(["operations", "findings"]);
  });

  it("prints the same JSON for the same plan", () => {
    const print = () => {
      const context = commandContext({ decision: { operations: [LINK], findings: [MISSING] } });
      runWords(["plan", "--json"], context);
      return context.printed;
    };
    expect(print()).toEqual(print());
  });

  it("does not print operations for a container that gets no GPU", () => {
    const context = commandContext({ decision: { asks: false } });
    expect(runWords(["plan"], context)).toBe(0);
    expect(context.printed).toHaveLength(1);
  });

  it.each(["A", "=B", ""])("refuses the variable %j", (entry) => {
    const context = commandContext();
    expect(catchError(() => runWords(["plan", "--env", entry], context))).toMatchObject({ code: "usage" });
    expect(context.plans).toEqual([]);
  });

  it("refuses a bundle without config.json", () => {
    const error = catchError(() => runWords(["plan", "--bundle", "/b"], commandContext()));
    expect(error).toMatchObject({ code: "spec-invalid" });
    expect(error.message).toContain("/b/config.json");
  });

  it("refuses a relative path after the current directory was removed", () => {
    const error = catchError(() => runWords(["plan", "--rootfs", "r"], commandContext()));
    expect(error).toMatchObject({ code: "usage" });
  });

  it("passes on the reason why planning fails", () => {
    const decision = () => {
      throw new TypeError("bug");
    };
    expect(() => runWords(["plan"], commandContext({ decision }))).toThrow(TypeError);
  });
});
