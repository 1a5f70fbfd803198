/** Where a text is not JSON, or says something twice. Both places count from 1. */
export interface JsonFault {
  readonly line: number;
  readonly column: number;
  /** The key that its object has a second time; absent where the text is not JSON. */
  readonly duplicate?: string;
}

const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const SCALAR = /(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)(?![0-9A-Za-z_.])/y;
/** What makes a string more than its own text: a backslash, or a control character, which it must not have. */
const SPECIAL = /[^ -[\]-\uffff]/;

/** Length of what the expression matches at a place; 0 where it does not. */
function matchAt(expression: RegExp, text: string, at: number): number {
  expression.lastIndex = at;
  return expression.exec(text)?.[0].length ?? 0;
}

/**
 * Length of the string at a place; 0 where there is none. Not one regular expression for the whole: an engine needs
 * its stack for each repetition, and a string can be megabytes long.
 */
function stringAt(text: string, at: number): number {
  if (text[at] !== '"') return 0;
  const quote = text.indexOf('"', at + 1);
  // Nearly every string, at the speed of the engine.
  if (quote >= 0 && !SPECIAL.test(text.slice(at, quote))) return quote + 1 - at;
  for (let position = at + 1; position < text.length; ) {
    const next = text[position] as string;
    if (next === '"') return position + 1 - at;
    if (next < " ") return 0;
    const length = next === "\\" ? matchAt(ESCAPE, text, position) : 1;
    if (length === 0) return 0;
    position += length;
  }
  return 0;
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
