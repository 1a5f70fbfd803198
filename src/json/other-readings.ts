import { type Document, faulty, isPlainObject, type PlainObject } from "../model/object-reader.ts";
import { quote } from "../text/quote.ts";
import { describeFault } from "./json-fault.ts";
import { eachItem, type JsonRange, membersOf, rootRange } from "./scan-json.ts";

/** The keys that are read in an object, and those of the objects below each; a list has those of its items. */
export interface KnownKeys {
  readonly [key: string]: KnownKeys;
}

type Place = readonly (string | number)[];

/**
 * Refuses a document that another reader could take for another one: the runtime, which is a Go program, and we must
 * not come to different answers about one container. Go's encoding/json takes `ENV` and `proce\u017f\u017f` for `env` and
 * `process`, and of a key that comes twice it takes the last value or merges both. QuickJS takes `\x41`, `5.` and `-01`
 * for JSON.
 *
 * A text that the engine writes back as it has read it has none of this but other cases: what is written is JSON, and
 * each key is in it once. Engines write compact texts, so that nearly none is looked at character by character.
 *
 * @param value the text, parsed.
 * @throws NvociError with the document's code, which names line and column.
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
    `${at}: ${quote(key)} counts as ${quote(fold(key))} for some readers and not for others`,
  );
}

function isWrittenBack(text: string, value: PlainObject): boolean {
  try {
    return text.startsWith(JSON.stringify(value));
  } catch {
    // Deeper than the engine's stack, which reading it was not.
    return false;
  }
}

/** A key as Go compares it: besides the cases of ASCII, U+017F is an s, and U+212A a k. */
const fold = (key: string): string => key.toLowerCase().replaceAll("\u017f", "s");

/** The first key that differs from a known one by its case alone. */
function findOtherCase(value: unknown, known: KnownKeys): Place | undefined {
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

/** The way from a key to the first such one; an empty way is the key itself. */
function otherCaseAt(key: string, value: unknown, known: KnownKeys): Place | undefined {
  const below = Object.hasOwn(known, key) ? known[key] : undefined;
  if (below === undefined) return isOtherCase(key, known) ? [] : undefined;
  return below === LEAF ? undefined : findOtherCase(value, below);
}

function isOtherCase(key: string, known: KnownKeys): boolean {
  const folded = fold(key);
  return Object.keys(known).some((name) => fold(name) === folded);
}

/** A key whose value has no keys that are read. */
export const LEAF: KnownKeys = {};

/** Where the key begins that a path leads to. */
function startOf(text: string, place: Place): number {
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
