import { type Document, faulty, isPlainObject, type PlainObject } from "../model/object-reader.ts";
import { quote } from "../text/quote.ts";
import { describeFault } from "./json-fault.ts";
import { eachItem, type JsonRange, membersOf, rootRange } from "./scan-json.ts";

/**
 * The keys that are read in an object, each with the keys of its value. The keys of a list are those of its items.
 */
export interface KnownKeys {
  readonly [key: string]: KnownKeys;
}

/** Keys and positions in lists from the top down. */
type ValuePath = readonly (string | number)[];

/**
 * Refuses a document that another parser could read differently. The runtime, which is a Go program, and nvoci
 * must agree about each container. Go's encoding/json reads `ENV` as `env` and `proce\u017f\u017f` as `process`;
 * for a repeated key it uses the last value or merges both. QuickJS accepts `\x41`, `5.` and `-01` as JSON.
 *
 * If JSON.stringify() reproduces the text, with Go's escapes or without, only the case of keys is left to check: its
 * output is JSON without repeated keys. Container engines write compact JSON, so few texts are scanned character by
 * character.
 *
 * @param value the parsed text.
 * @throws {NvociError} the document's code when parsers could differ; the message has the line and column.
 */
export function refuseOtherReadings(
  document: Document,
  text: string,
  value: PlainObject,
  known: KnownKeys,
): void {
  if (!isWrittenBack(text, value)) {
    const fault = describeFault(text);
    if (fault !== undefined) throw faulty(document, fault);
  }
  const place = findOtherCase(value, known);
  if (place === undefined) return;
  const before = text.slice(0, startOf(text, place));
  const at = `line ${before.split("\n").length}, column ${before.length - before.lastIndexOf("\n")}`;
  const key = place.at(-1) as string;
  throw faulty(
    document,
    `${at}: ${quote(key)} equals ${quote(fold(key))} for some parsers and not for others`,
  );
}

/** What Go's encoding/json escapes and JSON.stringify() does not. Every requirement such as `cuda>=12` has one. */
const GO_ESCAPES = [
  ["<", "\\u003c"],
  [">", "\\u003e"],
  ["&", "\\u0026"],
  ["\u2028", "\\u2028"],
  ["\u2029", "\\u2029"],
] as const;

/** Takes no regular expression: QuickJS keeps an object for each match until the last one is replaced. */
const escapeAsGo = (json: string): string =>
  GO_ESCAPES.reduce((text, [character, escaped]) => text.replaceAll(character, escaped), json);

/** Reports whether the text is what JSON.stringify() or Go's encoding/json makes of its value. */
function isWrittenBack(text: string, value: PlainObject): boolean {
  try {
    const written = JSON.stringify(value);
    return text.startsWith(written) || text.startsWith(escapeAsGo(written));
  } catch {
    // Writing needs more stack than parsing did.
    return false;
  }
}

/** Returns a key as Go compares it: in lower case, with U+017F as s and U+212A as k. */
const fold = (key: string): string => key.toLowerCase().replaceAll("\u017f", "s");

/** Finds the first key that differs from a known one only in case. */
function findOtherCase(value: unknown, known: KnownKeys): ValuePath | undefined {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const found = findOtherCase(value[index], known);
      if (found !== undefined) return [index, ...found];
    }
    return undefined;
  }
  if (!isPlainObject(value)) return undefined;
  for (const key of Object.keys(value)) {
    const found = otherCaseAt(key, value[key], known);
    if (found !== undefined) return [key, ...found];
  }
  return undefined;
}

/** Returns the path from a key to the first such key; an empty path is the key itself. */
function otherCaseAt(key: string, value: unknown, known: KnownKeys): ValuePath | undefined {
  const below = Object.hasOwn(known, key) ? known[key] : undefined;
  if (below === undefined) return isOtherCase(key, known) ? [] : undefined;
  return below === LEAF ? undefined : findOtherCase(value, below);
}

function isOtherCase(key: string, known: KnownKeys): boolean {
  const folded = fold(key);
  return Object.keys(known).some((name) => fold(name) === folded);
}

/** Marks a key whose value has no keys that are read. */
export const LEAF: KnownKeys = {};

/** Returns the offset of the key that a path leads to. */
function startOf(text: string, place: ValuePath): number {
  let range: JsonRange = rootRange(text);
  let start = 0;
  for (const step of place) {
    if (typeof step === "number") {
      const items: JsonRange[] = [];
      eachItem(text, range, (item) => items.push(item));
      range = items[step] as JsonRange;
    } else {
      const member = membersOf(text, range).find(({ key }) => key === step);
      if (member === undefined) return start;
      start = member.start;
      range = member.value;
    }
  }
  return start;
}
