import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JsonPath, type JsonText, removeJson, setJson } from "../../src/json/edit-json.ts";
import { type JsonAdditions, mergeJson } from "../../src/json/merge-json.ts";

const json = (text: string): JsonText => ({ name: "x.json", code: "spec-invalid", text });

/** Returns the items at the end of the list at a path. */
const appended = (path: JsonPath, items: readonly unknown[]) =>
  path.reduceRight<JsonAdditions | readonly unknown[]>(
    (inner, key) => ({ [key]: inner }),
    items,
  ) as JsonAdditions;

type Value = null | boolean | number | string | readonly Value[] | { readonly [key: string]: Value };
type Tree = { [key: string]: Value };

const word = fc.oneof(
  fc.constantFrom("a", "b", "linux", "devices", "{", "]", '"', "\\", '\\"', "é", "\u2028", "😀"),
  fc.string({ maxLength: 6, unit: "binary" }).filter((text) => text !== "__proto__"),
);
const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(null, true, false, 0, -1.5e300, 12, "", "}{", "\\"),
    word,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(word, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;
const tree = fc.dictionary(word, value, { maxKeys: 5, noNullPrototype: true }) as fc.Arbitrary<Tree>;
/** Styles of writing: without line breaks, with some, or with odd ones. */
const manner = fc.constantFrom(undefined, 1, 2, 4, "\t", "  \t");
const path = fc.array(word, { minLength: 1, maxLength: 3 }) as unknown as fc.Arbitrary<JsonPath>;

/** Inserts white space wherever JSON allows it, driven by an endless list of choices. */
function spread(text: string, spaces: readonly string[]): string {
  let count = 0;
  return text.replace(
    /"(?:[^"\\]|\\.)*"|[{}[\],:]/gs,
    (token) => `${spaces[count++ % spaces.length]}${token}${spaces[count++ % spaces.length]}`,
  );
}

const space = fc.array(fc.constantFrom("", " ", "\n", "\r\n", "\t", "\n  "), { minLength: 1, maxLength: 7 });
const document = fc.oneof(
  fc.tuple(tree, manner).map(([content, indent]) => JSON.stringify(content, null, indent)),
  fc.tuple(tree, space).map(([content, spaces]) => spread(JSON.stringify(content), spaces)),
);

const isTree = (candidate: Value | undefined): candidate is Tree =>
  typeof candidate === "object" && candidate !== null && !Array.isArray(candidate);

/** Returns the expected result, computed on the value; `undefined` if the change must be refused. */
function changed(
  root: Tree,
  keys: readonly string[],
  change: (old: Value | undefined) => Value | undefined,
): Tree | undefined {
  const [key = "", ...rest] = keys;
  const old = Object.hasOwn(root, key) ? root[key] : undefined;
  let next: Value | undefined;
  if (rest.length === 0) next = change(old);
  else if (old === undefined || old === null) next = changed({}, rest, change);
  else if (isTree(old)) next = changed(old, rest, change);
  return next === undefined ? undefined : { ...root, [key]: next };
}

/** Returns the lengths of the common prefix and suffix of two texts. */
function keptAround(before: string, after: string): { start: number; end: number } {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  return { start, end };
}

const edit = (change: () => JsonText): string | undefined => {
  try {
    return change().text;
  } catch (error) {
    expect(error).toMatchObject({ code: "spec-invalid" });
    return undefined;
  }
};

describe("editing JSON texts", () => {
  it("setJson() equals setting the member of the value", () => {
    fc.assert(
      fc.property(document, path, value, (text, keys, added) => {
        const wanted = changed(JSON.parse(text), keys, () => added);
        const result = edit(() => setJson(json(text), keys, added));
        expect(result === undefined ? undefined : JSON.parse(result)).toEqual(wanted);
      }),
    );
  });

  it("mergeJson() equals appending to the list of the value", () => {
    fc.assert(
      fc.property(document, path, fc.array(value, { minLength: 1, maxLength: 3 }), (text, keys, items) => {
        const append = (old: Value | undefined): Value | undefined => {
          if (old === undefined || old === null) return items;
          return Array.isArray(old) ? [...old, ...items] : undefined;
        };
        const wanted = changed(JSON.parse(text), keys, append);
        const result = edit(() => mergeJson(json(text), appended(keys, items)));
        expect(result === undefined ? undefined : JSON.parse(result)).toEqual(wanted);
      }),
    );
  });

  it("mergeJson() and setJson() of a new member remove only white space", () => {
    fc.assert(
      fc.property(document, path, value, (text, keys, added) => {
        const isNew =
          changed(JSON.parse(text), keys, (old) => (old === undefined ? 1 : undefined)) !== undefined;
        for (const change of [
          () => mergeJson(json(text), appended(keys, [added])),
          ...(isNew ? [() => setJson(json(text), keys, added)] : []),
        ]) {
          const result = edit(change);
          if (result === undefined) continue;
          const { start, end } = keptAround(text, result);
          expect(text.slice(start, text.length - end)).toMatch(/^(?:\s*|null)$/);
        }
      }),
    );
  });

  it("mergeJson() of two additions equals one after the other", () => {
    fc.assert(
      fc.property(document, path, path, value, (text, first, second, item) => {
        fc.pre(first[0] !== second[0]);
        const one = edit(() => {
          const half = mergeJson(json(text), appended(first, [item]));
          return mergeJson(half, appended(second, [item]));
        });
        const both = edit(() =>
          mergeJson(json(text), { ...appended(first, [item]), ...appended(second, [item]) }),
        );
        expect(both && JSON.parse(both)).toEqual(one && JSON.parse(one));
      }),
    );
  });

  it("removeJson() restores the text that setJson() extended after another member, to the last character", () => {
    fc.assert(
      fc.property(document, word, value, (text, key, added) => {
        const before = JSON.parse(text);
        fc.pre(Object.keys(before).length > 0 && !Object.hasOwn(before, key));
        expect(removeJson(setJson(json(text), [key], added), [key]).text).toBe(text);
      }),
    );
  });

  it("removeJson() equals deleting the member of the value", () => {
    fc.assert(
      fc.property(document, word, (text, other) => {
        const before = JSON.parse(text) as Tree;
        for (const key of [...Object.keys(before), other]) {
          const { [key]: _, ...rest } = before;
          expect(JSON.parse(removeJson(json(text), [key]).text)).toEqual(rest);
        }
      }),
    );
  });
});
