import { expect, test } from "vitest";
import { splitList } from "../../../src/text/quote.ts";

test.each([
  ["", []],
  [" , ,", []],
  ["a", ["a"]],
  [" b ,a,, b", ["b", "a"]],
  ["a b", ["a b"]],
])("splitList(%j) is %j", (text, expected) => {
  expect(splitList(text)).toEqual(expected);
});
