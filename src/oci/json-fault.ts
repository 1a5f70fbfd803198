/** Where a text stops being JSON. Both count from 1. */
export interface JsonFault {
  readonly line: number;
  readonly column: number;
}

const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const SCALAR = /(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)(?![0-9A-Za-z_.])/y;
const SPACE = /[ \t\r\n]*/y;

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

/** The place of the first character that no JSON text has there; `undefined` for a JSON text. */
function faultAt(text: string): number | undefined {
  const open: string[] = [];
  let expected: Expected = "value";
  for (let at = matchAt(SPACE, text, 0); ; at += matchAt(SPACE, text, at)) {
    const next = text[at];
    const closes = next !== undefined && next === open.at(-1);
    if (expected === "end of entry" && open.length === 0) return at === text.length ? undefined : at;
    if (expected === "colon") {
      if (next !== ":") return at;
      expected = "value";
      at++;
    } else if (closes && (expected === "end of entry" || expected.startsWith("first"))) {
      open.pop();
      expected = "end of entry";
      at++;
    } else if (expected === "end of entry") {
      if (next !== ",") return at;
      expected = open.at(-1) === "}" ? "key" : "value";
      at++;
    } else if (expected.endsWith("key")) {
      const length = stringAt(text, at);
      if (length === 0) return at;
      expected = "colon";
      at += length;
    } else if (next === "{" || next === "[") {
      open.push(next === "{" ? "}" : "]");
      expected = next === "{" ? "first key" : "first item";
      at++;
    } else {
      const length = stringAt(text, at) || matchAt(SCALAR, text, at);
      if (length === 0) return at;
      expected = "end of entry";
      at += length;
    }
  }
}

/**
 * Finds out where a text is not JSON, which engines tell in different words and some not at all.
 *
 * @returns `undefined` for a text that is JSON.
 * @see RFC 8259
 */
export function findJsonFault(text: string): JsonFault | undefined {
  const at = faultAt(text);
  if (at === undefined) return undefined;
  const before = text.slice(0, at);
  return { line: before.split("\n").length, column: at - before.lastIndexOf("\n") };
}
