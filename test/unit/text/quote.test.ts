import { expect, it } from "vitest";
import { quote } from "../../../src/text/quote.ts";

it("quote() keeps plain text in any script", () => {
  expect(quote("libcuda.so.1 für 日本 😀")).toBe('"libcuda.so.1 für 日本 😀"');
});

it.each([
  ["a\nb", '"a\\nb"'],
  ["a\0b", '"a\\u0000b"'],
  ["\u001b[31m", '"\\u001b[31m"'],
  ["\u009b", '"\\u009b"'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ["\u2028\u202e\ufeff", '"\\u2028\\u202e\\ufeff"'],
  ["\ud800", '"\\ud800"'],
])("quote() escapes %j", (text, expected) => {
  expect(quote(text)).toBe(expected);
});

it("quote() limits the length and marks the cut", () => {
  expect(quote("x".repeat(80))).toBe(`"${"x".repeat(80)}"`);
  expect(quote("x".repeat(81))).toBe(`"${"x".repeat(80)}…"`);
  expect(quote("abc", 2)).toBe('"ab…"');
});
