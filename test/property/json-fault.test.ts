import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findJsonFault } from "../../src/json/json-fault.ts";

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

const text = fc.oneof(
  fc.json({ maxDepth: 4 }),
  fc.jsonValue().map((value) => JSON.stringify(value, null, 2)),
);

/** Returns a text with a part removed, inserted or replaced. */
const mutated = fc
  .tuple(
    text,
    fc.nat(),
    fc.nat({ max: 3 }),
    fc.constantFrom(
      "",
      ",",
      "}",
      "]",
      "{",
      '"',
      ":",
      "0",
      "-",
      ".5",
      "e",
      "\\",
      "\u0001",
      "\n",
      "nul",
      "\ufeff",
      "1",
    ),
  )
  .map(([before, at, cut, put]) => {
    const start = at % (before.length + 1);
    return before.slice(0, start) + put + before.slice(start + cut);
  });

describe("findJsonFault()", () => {
  it("finds a fault exactly if JSON.parse() refuses", () => {
    fc.assert(
      fc.property(fc.oneof(text, mutated, fc.string()), (candidate) => {
        const fault = findJsonFault(candidate);
        // JSON.parse() accepts duplicate keys, and anything may follow the one that is found first.
        if (fault?.duplicate === undefined) expect(fault === undefined).toBe(isJson(candidate));
      }),
      { numRuns: 1000 },
    );
  });

  it("finds every duplicate key, however it is escaped, and no others", () => {
    const key = fc.constantFrom("a", "b", "env", "");
    const written = fc.tuple(key, fc.boolean()).map(([name, escaped]) => {
      const code = (letter: string) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
      return { name, text: `"${escaped ? [...name].map(code).join("") : name}"` };
    });
    fc.assert(
      fc.property(fc.array(written, { maxLength: 5 }), text, (keys, value) => {
        const members = keys.map((one) => `${one.text}: ${value}`).join(", ");
        const first = keys.findIndex(({ name }, index) =>
          keys.some((one, at) => at < index && one.name === name),
        );
        expect(findJsonFault(`[{}, {"x": {${members}}}]`)?.duplicate).toBe(keys[first]?.name);
      }),
    );
  });

  it("points into the text, at or after the valid part", () => {
    fc.assert(
      fc.property(text, fc.constantFrom("]", ",", "x", "}"), (json, wrong) => {
        const lines = json.split("\n");
        const last = lines.at(-1) ?? "";
        expect(findJsonFault(`${json} ${wrong}`)).toEqual({
          line: lines.length,
          column: last.trimEnd().length + 2,
        });
      }),
    );
  });
});
