import {
  type Document,
  describeValue,
  faulty,
  isPlainObject,
  ObjectReader,
  type PlainObject,
} from "../model/object-reader.ts";
import { quote } from "../text/quote.ts";

/** The place where a text is not JSON, or repeats a key. Line and column count from 1. */
interface JsonFault {
  readonly line: number;
  readonly column: number;
  /** The repeated key; `undefined` if the text is not JSON. */
  readonly duplicate?: string;
}

/**
 * Characters of a string and escapes, so many at once as a stack is sure to bear: an engine needs some of its own for
 * each repetition, and a string can be megabytes long.
 */
const CHARACTERS = /(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})){1,32}/y;
const SCALAR = /(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)(?![0-9A-Za-z_.])/y;
/** Characters of a string that need a closer look: the backslash, and control characters, which are invalid. */
const SPECIAL = /[^ -[\]-\uffff]/;

/** Returns the length of the expression's match at an offset, or 0. */
function matchAt(expression: RegExp, text: string, at: number): number {
  expression.lastIndex = at;
  return expression.test(text) ? expression.lastIndex - at : 0;
}

/** Returns the length of the string literal at an offset, or 0. */
function stringAt(text: string, at: number): number {
  if (text[at] !== '"') return 0;
  const end = text.indexOf('"', at + 1);
  // The fast path, for nearly every string.
  if (end >= 0 && !SPECIAL.test(text.slice(at, end))) return end + 1 - at;
  let position = at + 1;
  for (let length = -1; length !== 0; position += length) length = matchAt(CHARACTERS, text, position);
  return text[position] === '"' ? position + 1 - at : 0;
}

type Expected = "value" | "first item" | "first key" | "key" | "colon" | "end of entry";

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

interface FaultPlace {
  readonly at: number;
  readonly duplicate?: string;
}

/** Finds the first character that cannot be there, or the first repeated key; `undefined` if there is neither. */
function firstFault(text: string): FaultPlace | undefined {
  const open: string[] = [];
  const keys: Set<string>[] = [];
  let expected: Expected = "value";
  for (let at = 0; ; ) {
    while (isSpace(text.charCodeAt(at))) at++;
    const next = text[at];
    const closes = next !== undefined && next === open.at(-1);
    if (expected === "end of entry" && open.length === 0) return at === text.length ? undefined : { at };
    if (expected === "colon") {
      if (next !== ":") return { at };
      expected = "value";
      at++;
    } else if (closes && (expected === "end of entry" || expected.startsWith("first"))) {
      if (open.pop() === "}") keys.pop();
      expected = "end of entry";
      at++;
    } else if (expected === "end of entry") {
      if (next !== ",") return { at };
      expected = open.at(-1) === "}" ? "key" : "value";
      at++;
    } else if (expected.endsWith("key")) {
      const length = stringAt(text, at);
      if (length === 0) return { at };
      const key = JSON.parse(text.slice(at, at + length)) as string;
      const known = keys.at(-1) as Set<string>;
      if (known.has(key)) return { at, duplicate: key };
      known.add(key);
      expected = "colon";
      at += length;
    } else if (next === "{" || next === "[") {
      if (next === "{") keys.push(new Set());
      open.push(next === "{" ? "}" : "]");
      expected = next === "{" ? "first key" : "first item";
      at++;
    } else {
      const length = stringAt(text, at) || matchAt(SCALAR, text, at);
      if (length === 0) return { at };
      expected = "end of entry";
      at += length;
    }
  }
}

/**
 * Finds the place where a text is not JSON, which JavaScript engines report differently or not at all, or repeats
 * a key in one object, of which parsers use the first, the last or both.
 *
 * @returns `undefined` when all parsers read the text alike.
 * @see RFC 8259
 */
export function findJsonFault(text: string): JsonFault | undefined {
  const found = firstFault(text);
  if (found === undefined) return undefined;
  const { at, ...rest } = found;
  const before = text.slice(0, at);
  return { line: before.split("\n").length, column: at - before.lastIndexOf("\n"), ...rest };
}

/**
 * Parses a text with an object at the top. JavaScript engines may accept more than JSON: see
 * `refuseOtherReadings()`.
 *
 * The error does not contain the engine's message, which differs between engines.
 *
 * @throws {NvociError} the document's code when the text is not JSON, with line and column, or not an object.
 */
export function parseJsonObject(document: Document, text: string): PlainObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The native program's parser recurses until its stack is full.
    throw faulty(
      document,
      text.trim() === "" ? "it is empty" : (describeFault(text) ?? "it is nested too deeply"),
    );
  }
  if (isPlainObject(value)) return value;
  throw faulty(document, `it must be an object, not ${describeValue(value)}`);
}

/** Parses a text with an object at the top and returns a reader of it. @throws as {@link parseJsonObject} */
export const readJsonObject = (document: Document, text: string): ObjectReader =>
  new ObjectReader(document, parseJsonObject(document, text));

/** Describes the fault that {@link findJsonFault} finds, for a message. */
export function describeFault(text: string): string | undefined {
  const fault = findJsonFault(text);
  if (fault === undefined) return undefined;
  const { line, column, duplicate } = fault;
  const what = duplicate === undefined ? "is not JSON" : `repeats the key ${quote(duplicate)}`;
  return `line ${line}, column ${column} ${what}`;
}
