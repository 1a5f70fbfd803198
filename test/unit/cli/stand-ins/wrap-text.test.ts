import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wrapText } from "../../../../src/cli/stand-ins/wrap-text.ts";

describe("wrapText()", () => {
  it("breaks at the last space that fits", () => {
    expect(wrapText("one two three", 7)).toBe("one two\nthree");
  });

  it("keeps a line that fits exactly", () => {
    expect(wrapText("one two", 7)).toBe("one two");
  });

  it("keeps line breaks, empty lines and indentation", () => {
    expect(wrapText("a\n\n  b", 10)).toBe("a\n\n  b");
  });

  it("cuts a word longer than a line", () => {
    expect(wrapText("see abcdefgh now", 3)).toBe("see\nabc\ndef\ngh\nnow");
  });

  it("does not wrap without a width", () => {
    expect(wrapText("one two", 0)).toBe("one two");
  });

  it("keeps every word and the line width", () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { maxLength: 12 });
    fc.assert(
      fc.property(words, fc.integer({ min: 1, max: 15 }), (list, width) => {
        const wrapped = wrapText(list.join(" "), width);
        expect(wrapped.replace(/[ \n]/g, "")).toBe(list.join(""));
        for (const line of wrapped.split("\n")) expect(line.length).toBeLessThanOrEqual(width);
      }),
    );
  });
});
