import { expect, it } from "vitest";
import { splitList } from "../../../src/text/quote.ts";

it.each([
  ["", []],
  [" , ,", []],
  ["a", ["a"]],
  [" b ,a,, b", ["b", "a"]],
  ["a b", ["a b"]],
])("splitList(%j) is %j", (text, expected) => {
  expect(splitList(text)).toEqual(expected);
});
