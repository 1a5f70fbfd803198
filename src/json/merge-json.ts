import { faulty, type PlainObject } from "../model/object-reader.ts";
import type { JsonText } from "./edit-json.ts";
import { colonOf, entriesAfter, indentAt, type Replacement, render } from "./json-manner.ts";
import { eachItem, eachMember, type JsonMember, type JsonRange, rootRange } from "./scan-json.ts";

/** Additions to an object: objects are merged into existing ones, items are appended to existing lists. */
export interface JsonAdditions {
  readonly [key: string]: JsonAdditions | readonly unknown[];
}

/**
 * Adds values to a JSON text in one pass and keeps every other character. Creates missing objects and lists; empty
 * additions create nothing. `null` counts as missing. The last duplicate key wins, as in JSON.parse().
 *
 * Neither values nor entries of the text are kept in memory: a text may have hundreds of thousands.
 *
 * @throws {NvociError} the document's code when the text has another value where an object or a list is expected.
 */
export function mergeJson(json: JsonText, additions: JsonAdditions): JsonText {
  const { text } = json;
  const replacements: Replacement[] = [];
  mergeObject(json, rootRange(text), additions, [], replacements);
  replacements.sort((a, b) => a.start - b.start);
  const parts: string[] = [];
  let end = 0;
  for (const replacement of replacements) {
    parts.push(text.slice(end, replacement.start), replacement.text);
    end = replacement.end;
  }
  return { ...json, text: parts.join("") + text.slice(end) };
}

function isEmpty(addition: JsonAdditions | readonly unknown[]): boolean {
  return isList(addition) ? addition.length === 0 : Object.values(addition).every(isEmpty);
}

const isList = (addition: JsonAdditions | readonly unknown[]): addition is readonly unknown[] =>
  Array.isArray(addition);

/** Returns an addition without its empty parts. */
const withoutEmpty = (addition: JsonAdditions | readonly unknown[]): PlainObject | readonly unknown[] =>
  isList(addition)
    ? addition
    : Object.fromEntries(
        Object.entries(addition).flatMap(([key, value]) =>
          isEmpty(value) ? [] : [[key, withoutEmpty(value)]],
        ),
      );

function mergeObject(
  json: JsonText,
  object: JsonRange,
  additions: JsonAdditions,
  path: readonly string[],
  into: Replacement[],
): void {
  const { text } = json;
  const found = new Map<string, JsonMember>();
  let last: JsonRange | undefined;
  let previous: JsonRange | undefined;
  eachMember(text, object, (key, start, value) => {
    [previous, last] = [last, { start, end: value.end }];
    if (Object.hasOwn(additions, key)) found.set(key, { key, start, value });
  });
  const missing: [string, PlainObject | readonly unknown[]][] = [];
  for (const [key, addition] of Object.entries(additions)) {
    if (isEmpty(addition)) continue;
    const member = found.get(key);
    if (member === undefined) missing.push([key, withoutEmpty(addition)]);
    else mergeMember(json, member, addition, [...path, key], into);
  }
  if (missing.length === 0) return;
  const colon = colonOf(text);
  into.push(
    entriesAfter(text, object, { last, previous }, (indent) =>
      missing.map(([key, value]) => JSON.stringify(key) + colon + render(text, value, indent)),
    ),
  );
}

function mergeMember(
  json: JsonText,
  { start, value }: JsonMember,
  addition: JsonAdditions | readonly unknown[],
  path: readonly string[],
  into: Replacement[],
): void {
  const { text } = json;
  const first = text[value.start];
  if (first === "n") {
    into.push({ ...value, text: render(text, withoutEmpty(addition), indentAt(text, start)) });
  } else if (!isList(addition)) {
    if (first !== "{") throw faulty(json, `${path.join(".")} must be an object`);
    mergeObject(json, value, addition, path, into);
  } else {
    if (first !== "[") throw faulty(json, `${path.join(".")} must be a list`);
    let last: JsonRange | undefined;
    let previous: JsonRange | undefined;
    eachItem(text, value, (item) => {
      [previous, last] = [last, item];
    });
    into.push(
      entriesAfter(text, value, { last, previous }, (indent) =>
        addition.map((item) => render(text, item, indent)),
      ),
    );
  }
}
