import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../../build/root.ts";
import { MAY_DESCRIBE, MAY_IMPORT } from "../support/build/layers.ts";

const text = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");

/** A section by its heading, up to the next one of the same level. */
function section(title: string): string {
  const [, rest] = text.split(`\n## ${title}\n`);
  if (rest === undefined) throw new Error(`ARCHITECTURE.md has no section "${title}"`);
  return rest.split("\n## ")[0] ?? "";
}

/** The cells of each row of the tables in a text, heads and rules left out. */
const rows = (of: string): string[][] =>
  [...of.matchAll(/^\|(.*)\|$/gm)]
    .map(([, row = ""]) => row.split("|").map((cell) => cell.trim()))
    .filter(
      (cells) => cells.some((cell) => /[^-]/.test(cell)) && !/^(?:folder|step|word)$/.test(cells[0] ?? ""),
    );

const codes = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);

/** The phases in their order, with the folders whose files belong to each. */
const PHASES: readonly (readonly string[])[] = [
  ["hook"],
  ["request", "manifest"],
  ["discover"],
  ["plan"],
  ["execute"],
];
const phaseOf = (file: string): number =>
  PHASES.findIndex((folders) => folders.includes(file.split("/")[0] ?? ""));

describe("ARCHITECTURE.md", () => {
  it("has the table of layers that the imports are compared with", () => {
    const table = new Map<string, string[]>();
    for (const [folders = "", others = ""] of rows(section("Layers"))) {
      if (!/^(?:nothing|`)/.test(others) || /[^`\w,/. -]/.test(others)) continue;
      for (const folder of codes(folders)) table.set(folder.replace(/\/$/, ""), codes(others).sort());
    }
    const expected = Object.entries(MAY_IMPORT).map(([folder, others]) => [folder, [...others].sort()]);
    expect([...table].sort()).toEqual(expected.sort());
    expect(Object.keys(MAY_DESCRIBE)).toEqual(["render"]);
  });

  it.each(section("Two walks").split("\n\nLine 41"))("walks through the phases in order: %#", (walk) => {
    const steps = rows(walk).map(
      ([symbol = "", file = ""]) => [codes(symbol)[0] ?? "", codes(file)[0] ?? ""] as const,
    );
    expect(steps.length).toBeGreaterThan(8);
    for (const [symbol, file] of steps) {
      expect(readFileSync(join(root, "src", file), "utf8"), file).toMatch(new RegExp(`\\b${symbol}\\b`));
    }
    // The look that decides whether anything is loaded comes before the phases begin.
    const phases = steps.map(([, file]) => phaseOf(file));
    const inOrder = phases.slice(steps.findIndex(([symbol]) => symbol === "inject") + 1);
    expect(inOrder).toEqual([...inOrder].sort((a, b) => a - b));
    expect(inOrder).not.toContain(-1);
  });

  it("names no file that is not there", () => {
    const named = codes(text).filter((code) => /^[\w./-]+\.(?:ts|c|mjs)$/.test(code));
    const missing = named.filter(
      (file) => !existsSync(join(root, file)) && !existsSync(join(root, "src", file)),
    );
    const known = missing.filter(
      (file) => !existsSync(join(root, "src/sys/native", file)) && !existsSync(join(root, "build", file)),
    );
    expect(known).toEqual([]);
  });

  it("has a glossary of twenty terms and more, each once", () => {
    const terms = rows(section("Glossary")).map(([term = ""]) => term);
    expect(terms.length).toBeGreaterThanOrEqual(20);
    expect(new Set(terms).size).toBe(terms.length);
  });
});
