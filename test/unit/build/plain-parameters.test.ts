import { describe, expect, it } from "vitest";
import { plainParameters } from "../../../build/plain-parameters.ts";

/** Evaluates a JavaScript expression after the rewrite. */
const worthOf = (source: string): unknown => new Function(plainParameters(`return ${source};`))();

describe("plainParameters()", () => {
  it.each([
    ["an arrow with an expression", "[({ a, b: c }) => a + c].map((f) => f({ a: 1, b: 2 }))", [3]],
    ["an arrow that returns an object", "(({ a }) => ({ a }))({ a: 1 })", { a: 1 }],
    ["an arrow with a block", "(({ a }) => { return a; })({ a: 1 })", 1],
    ["an array", "[[1, 2]].map(([a, b]) => a * 10 + b)", [12]],
    ["a function and what follows the pattern", "(function ({ a }, b) { return a + b; })({ a: 1 }, 2)", 3],
    ["a method", "({ f({ a }) { return a; } }).f({ a: 1 })", 1],
    ["a constructor", "new (class { constructor({ a }) { this.a = a; } })({ a: 1 }).a", 1],
    ["a rest", "((...[a, b]) => a + b)(1, 2)", 3],
    ["defaults within a pattern", "(({ a = 1, b: { c = 2 } = {} }) => a + c)({})", 3],
    ["functions within functions", "(({ a }) => ({ b }) => a + b)({ a: 1 })({ b: 2 })", 3],
    ["a function within a pattern", "(({ f = ({ a }) => a }) => f({ a: 1 }))({})", 1],
    ["a pattern that is assigned to", "(({ a }) => { a += 1; return a; })({ a: 1 })", 2],
  ])("preserves the meaning of %s and removes patterns from the list", (_, source, value) => {
    expect(worthOf(source)).toEqual(value);
    expect(plainParameters(source)).toContain("let ");
  });

  it.each([
    ["that have a default value", "({ a }, b = a) => b"],
    ["without a pattern", "(a, ...b) => a"],
  ])("leaves parameters %s alone", (_, source) => {
    expect(plainParameters(source)).toBe(source);
  });

  it("still fails for a value without properties", () => {
    expect(() => worthOf("(({ a }) => a)(null)")).toThrow(TypeError);
  });
});
