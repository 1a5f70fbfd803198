/**
 * Finds values in a JSON text without parsing it. The text must be valid JSON; otherwise the results are
 * meaningless.
 *
 * @see RFC 8259
 */

/** The range of a value in a text. `end` is the offset after its last character. */
export interface JsonRange {
  readonly start: number;
  readonly end: number;
}

/** A member of an object. */
export interface JsonMember {
  /** As JSON.parse() returns it, with escapes resolved. */
  readonly key: string;
  /** Offset of the key's first quotation mark. */
  readonly start: number;
  readonly value: JsonRange;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACKET = 0x5d;
const CLOSE_BRACE = 0x7d;
const BYTE_ORDER_MARK = 0xfeff;

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

function skipSpace(text: string, at: number): number {
  let position = at;
  while (isSpace(text.charCodeAt(position))) position++;
  return position;
}

/** @param start offset of the opening quotation mark. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); ; quote = text.indexOf('"', quote + 1)) {
    if (quote < 0) return text.length;
    let first = quote;
    while (text.charCodeAt(first - 1) === BACKSLASH) first--;
    if ((quote - first) % 2 === 0) return quote + 1;
  }
}

/** Returns the end of the value at an offset. Fast enough for texts of megabytes: most characters are read once. */
function endOfValue(text: string, start: number): number {
  const code = text.charCodeAt(start);
  if (code === QUOTE) return endOfString(text, start);
  if (code === OPEN_BRACKET || code === OPEN_BRACE) return endOfBrackets(text, start);
  const length = text.length;
  let position = start;
  for (; position < length; position++) {
    const next = text.charCodeAt(position);
    if (next === COMMA || next === CLOSE_BRACKET || next === CLOSE_BRACE || isSpace(next)) break;
  }
  return position;
}

/** @param start offset of the opening bracket of a list or an object. */
function endOfBrackets(text: string, start: number): number {
  const length = text.length;
  let position = start;
  for (let depth = 0; position < length; ) {
    const next = text.charCodeAt(position);
    if (next === QUOTE) {
      // Brackets inside strings do not count.
      position = endOfString(text, position);
      continue;
    }
    position++;
    if (next === OPEN_BRACKET || next === OPEN_BRACE) depth++;
    else if ((next === CLOSE_BRACKET || next === CLOSE_BRACE) && --depth === 0) break;
  }
  return position;
}

const rangeAt = (text: string, start: number): JsonRange => ({ start, end: endOfValue(text, start) });

/** Returns the start of the next entry after a value, or `undefined` at the end of the list or object. */
function nextStart(text: string, after: number): number | undefined {
  const comma = skipSpace(text, after);
  return text.charCodeAt(comma) === COMMA ? skipSpace(text, comma + 1) : undefined;
}

/** Returns the range of the text's top-level value without scanning it. */
export function rootRange(text: string): JsonRange {
  let end = text.length;
  while (isSpace(text.charCodeAt(end - 1))) end--;
  return { start: skipSpace(text, text.charCodeAt(0) === BYTE_ORDER_MARK ? 1 : 0), end };
}

/**
 * Finds the first member of the text's top-level object without scanning the rest.
 *
 * @returns the offsets of the object, the key and the value; `undefined` when the object has no members.
 */
export function firstMember(text: string): { object: number; key: number; value: number } | undefined {
  const object = skipSpace(text, text.charCodeAt(0) === BYTE_ORDER_MARK ? 1 : 0);
  const key = skipSpace(text, object + 1);
  if (text.charCodeAt(key) !== QUOTE) return undefined;
  return { object, key, value: skipSpace(text, skipSpace(text, endOfString(text, key)) + 1) };
}

/** Calls `visit` for each member of an object in the order of the text, and twice for a repeated key. */
export function eachMember(
  text: string,
  object: JsonRange,
  visit: (key: string, start: number, value: JsonRange) => void,
): void {
  let start: number | undefined = skipSpace(text, object.start + 1);
  if (start >= object.end - 1) return;
  while (start !== undefined) {
    const keyEnd = endOfString(text, start);
    const value = rangeAt(text, skipSpace(text, skipSpace(text, keyEnd) + 1));
    visit(JSON.parse(text.slice(start, keyEnd)) as string, start, value);
    start = nextStart(text, value.end);
  }
}

/** Returns all members of an object. */
export function membersOf(text: string, object: JsonRange): readonly JsonMember[] {
  const members: JsonMember[] = [];
  eachMember(text, object, (key, start, value) => members.push({ key, start, value }));
  return members;
}

/** Calls `visit` for each item of a list. */
export function eachItem(text: string, list: JsonRange, visit: (item: JsonRange) => void): void {
  let start: number | undefined = skipSpace(text, list.start + 1);
  if (start >= list.end - 1) return;
  while (start !== undefined) {
    const item = rangeAt(text, start);
    visit(item);
    start = nextStart(text, item.end);
  }
}
