import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchGlob } from "../../src/text/match-glob.ts";

// The look-ahead prevents reading a negation as a member: `[!]` is never closed.
const CLASS = /^\[(?:([!^])|(?![!^]))(\][^\]]*|[^\]]+)\]/;

/** Returns the pattern as a regular expression, an oracle for short patterns. */
function toRegExp(pattern: string): RegExp {
  let source = "";
  for (let rest = pattern; rest !== ""; ) {
    const [whole, negation, members = ""] = CLASS.exec(rest) ?? [];
    if (whole !== undefined) {
      const ranges = members.replace(/(.)-(.)/gs, (_, first: string, last: string) =>
        first <= last ? `\\u{${hex(first)}}-\\u{${hex(last)}}` : "",
      );
      const escaped = ranges.replace(/\\u\{\w+\}(?:-\\u\{\w+\})?|[\s\S]/g, (part) =>
        part.length > 1 ? part : `\\u{${hex(part)}}`,
      );
      source += escaped === "" ? (negation ? "[^]" : "[]") : `[${negation ? "^" : ""}${escaped}]`;
      rest = rest.slice(whole.length);
    } else {
      const character = rest[0]!;
      source += character === "*" ? "[^]*" : character === "?" ? "[^]" : `\\u{${hex(character)}}`;
      rest = rest.slice(1);
    }
  }
  return new RegExp(`^${source}$`, "u");
}

const hex = (character: string): string => character.charCodeAt(0).toString(16);

const piece = fc.constantFrom("a", "b", "c", "*", "?", "[", "]", "-", "!", "^", "[ab]", "[!a]", "[a-c]", ".");
const pattern = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
const name = fc
  .array(fc.constantFrom("a", "b", "c", "[", "]", "-", "!", "."), { maxLength: 8 })
  .map((c) => c.join(""));

describe("matchGlob()", () => {
  it("agrees with a regular expression, except for a leading dot", () => {
    fc.assert(
      fc.property(pattern, name, (glob, text) => {
        const hidden = text.startsWith(".") && !glob.startsWith(".");
        expect(matchGlob(glob, text)).toBe(!hidden && toRegExp(glob).test(text));
      }),
      { numRuns: 5000 },
    );
  });

  it("reads a negation without members as three characters", () => {
    expect([matchGlob("[!]", "!"), matchGlob("[!]", "[!]"), toRegExp("[!]").test("[!]")]).toEqual([
      false,
      true,
      true,
    ]);
  });

  it("matches every name without wildcards only with itself", () => {
    const plain = fc.string().filter((text) => !/[*?[]/.test(text));
    fc.assert(
      fc.property(plain, plain, (glob, text) => {
        expect(matchGlob(glob, text)).toBe(glob === text);
      }),
    );
  });

  it("takes little time for many runs of any characters", () => {
    const started = performance.now();
    expect(matchGlob("*".repeat(256), "a")).toBe(false);
    expect(matchGlob("*a".repeat(100), "a".repeat(4000))).toBe(true);
    expect(matchGlob(`${"*a".repeat(100)}b`, "a".repeat(4000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
