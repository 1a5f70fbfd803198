import { firstMember, type JsonRange } from "./scan-json.ts";

/** The formatting of a JSON text, for additions to it: indentation, and the white space after colons and commas. */

/** Longer white space is not repeated: copying it to every added line would multiply the text. */
const MAX_SPACE_CHARACTERS = 256;

/** Returns the indentation of the line that contains the offset `at`. */
export function indentAt(text: string, at: number): string {
  const start = text.lastIndexOf("\n", at - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start, Math.min(at, start + MAX_SPACE_CHARACTERS)))?.[0] ?? "";
}

/** Returns the indentation of one level; `undefined` if there are no line breaks between members. */
function indentUnit(text: string): string | undefined {
  const first = firstMember(text);
  if (first === undefined) return text.includes("\n") ? "    " : undefined;
  return text.slice(first.object, first.key).includes("\n") ? indentAt(text, first.key) : undefined;
}

/** Returns the text's separator between a key and its value. */
export function colonOf(text: string): string {
  const first = firstMember(text);
  return first === undefined || text[first.value - 1] !== ":" ? ": " : ":";
}

/** Formats a value for a line of the given indentation. */
export function render(text: string, value: unknown, indent: string): string {
  const unit = indentUnit(text);
  if (unit === undefined) return JSON.stringify(value);
  return JSON.stringify(value, null, unit).replaceAll("\n", `\n${indent}`);
}

/** The last two entries of an object or a list. */
interface LastEntries {
  readonly last?: JsonRange | undefined;
  readonly previous?: JsonRange | undefined;
}

/** Returns a comma and the white space between the last two entries. */
function separator(text: string, whole: JsonRange, last: JsonRange, previous: JsonRange | undefined): string {
  const [comma, start, end] =
    previous === undefined ? [",", whole.start + 1, last.start] : ["", previous.end, last.start];
  return end - start > MAX_SPACE_CHARACTERS ? "," : comma + text.slice(start, end);
}

/** A range of a text and its replacement. */
export interface Replacement extends JsonRange {
  readonly text: string;
}

/**
 * Returns the replacement that appends entries to an object or a list.
 *
 * @param whole the object or list.
 * @param write returns the entries' texts for lines of the given indentation.
 */
export function entriesAfter(
  text: string,
  whole: JsonRange,
  { last, previous }: LastEntries,
  write: (indent: string) => readonly string[],
): Replacement {
  if (last !== undefined) {
    const comma = separator(text, whole, last, previous);
    const added = write(indentAt(text, last.start)).map((entry) => comma + entry);
    return { start: last.end, end: last.end, text: added.join("") };
  }
  const inside = { start: whole.start + 1, end: whole.end - 1 };
  const unit = indentUnit(text);
  if (unit === undefined) return { ...inside, text: write("").join(",") };
  const outer = indentAt(text, whole.start);
  const lines = write(outer + unit).join(`,\n${outer}${unit}`);
  return { ...inside, text: `\n${outer}${unit}${lines}\n${outer}` };
}
