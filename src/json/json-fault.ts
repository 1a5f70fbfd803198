import {
  type Document,
  describeValue,
  faulty,
  isPlainObject,
  ObjectReader,
  type PlainObject,
} from "../model/object-reader.ts";
import { quote } from "../text/quote.ts";

/** Where a text is not JSON, or says something twice. Both places count from 1. */
interface JsonFault {
  readonly line: number;
  readonly column: number;
  /** The key that its object has a second time; absent where the text is not JSON. */
  readonly duplicate?: string;
}

/**
 * Characters of a string and escapes, so many at once as a stack is sure to bear: an engine needs some of its own for
 * each repetition, and a string can be megabytes long.
 */
const CHARACTERS = /(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})){1,32}/y;
const SCALAR = /(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)(?![0-9A-Za-z_.])/y;
/** What makes a string more than its own text: a backslash, or a control character, which it must not have. */
const SPECIAL = /[^ -[\]-\uffff]/;

/** Length of what the expression matches at a place; 0 where it does not. */
function matchAt(expression: RegExp, text: string, at: number): number {
  expression.lastIndex = at;
  return expression.test(text) ? expression.lastIndex - at : 0;
}

/** Length of the string at a place; 0 where there is none. */
function stringAt(text: string, at: number): number {
  if (text[at] !== '"') return 0;
  const end = text.indexOf('"', at + 1);
  // Nearly every string, at the speed of the engine.
  if (end >= 0 && !SPECIAL.test(text.slice(at, end))) return end + 1 - at;
  let position = at + 1;
  for (let length = -1; length !== 0; position += length) length = matchAt(CHARACTERS, text, position);
  return text[position] === '"' ? position + 1 - at : 0;
}

type Expected = "value" | "first item" | "first key" | "key" | "colon" | "end of entry";

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

interface Found {
  readonly at: number;
  readonly duplicate?: string;
}

/** The first character that no JSON text has there, or a key's second time; `undefined` for a text without either. */
function firstFault(text: string): Found | undefined {
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
 * Finds out where a text is not JSON, which engines tell in different words and some not at all, or has a key twice in
 * one object, of which readers take the first, the last or both.
 *
 * @returns `undefined` for a text that everybody reads alike.
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
 * Parses a text whose top level is an object. An engine may take more for JSON than JSON is: see
 * `refuseOtherReadings()`.
 *
 * The parser's own words are left out of the error: they differ between engines.
 *
 * @throws NvociError with the document's code, which names line and column where the text is not JSON.
 */
export function parseJsonObject(document: Document, text: string): PlainObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser of the native program goes as deep as its stack allows.
    throw faulty(
      document,
      text.trim() === "" ? "it is empty" : (describeFault(text) ?? "it is nested too deeply"),
    );
  }
  if (isPlainObject(value)) return value;
  throw faulty(document, `it must be an object, not ${describeValue(value)}`);
}

/** Parses a text whose top level is an object, to have its members read. @throws NvociError as `parseJsonObject()` */
export const readJsonObject = (document: Document, text: string): ObjectReader =>
  new ObjectReader(document, parseJsonObject(document, text));

/** Where and why the text is not JSON that everybody reads alike; `undefined` where it is. */
export function describeFault(text: string): string | undefined {
  const fault = findJsonFault(text);
  if (fault === undefined) return undefined;
  const { line, column, duplicate } = fault;
  const what = duplicate === undefined ? "is not JSON" : `has the key ${quote(duplicate)} a second time`;
  return `line ${line}, column ${column} ${what}`;
}
