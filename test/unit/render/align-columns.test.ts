import { describe, expect, it } from "vitest";
import { alignColumns } from "../../../src/render/text.ts";

describe("alignColumns()", () => {
  it("pads every column but the last", () => {
    expect(
      alignColumns([
        ["a", "bb", "c"],
        ["aaa", "b", "ccc"],
      ]),
    ).toEqual(["a    bb  c", "aaa  b   ccc"]);
  });

  it("leaves no spaces at the end of a line", () => {
    expect(
      alignColumns([
        ["a", ""],
        ["bb", "c"],
      ]),
    ).toEqual(["a", "bb  c"]);
  });

  it("returns nothing for no rows", () => expect(alignColumns([])).toEqual([]));
});
