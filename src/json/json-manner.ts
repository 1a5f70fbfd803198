import { firstMember, type JsonRange } from "./scan-json.ts";

/** How a JSON text is written, so that what is added to it looks alike: indentation, colons and what follows a comma. */

/** White space beyond this is nobody's manner; to repeat it for every line would multiply the text. */
const MAX_SPACE_CHARACTERS = 256;

/** White space before the first character of the line that `at` is in. */
export function indentAt(text: string, at: number): string {
  const start = text.lastIndexOf("\n", at - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start, Math.min(at, start + MAX_SPACE_CHARACTERS)))?.[0] ?? "";
}

/** What one level is indented by; `undefined` for a text without line breaks between members. */
function indentUnit(text: string): string | undefined {
  const first = firstMember(text);
  if (first === undefined) return text.includes("\n") ? "    " : undefined;
  return text.slice(first.object, first.key).includes("\n") ? indentAt(text, first.key) : undefined;
}

/** What stands between a key and its value. */
export function colonOf(text: string): string {
  const first = firstMember(text);
  return first === undefined || text[first.value - 1] !== ":" ? ": " : ":";
}

/** A value as it is written on a line of the given indentation. */
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

/** A comma and white space, as between the last two entries. */
function separator(text: string, whole: JsonRange, last: JsonRange, previous: JsonRange | undefined): string {
  const [comma, start, end] =
    previous === undefined ? [",", whole.start + 1, last.start] : ["", previous.end, last.start];
  return end - start > MAX_SPACE_CHARACTERS ? "," : comma + text.slice(start, end);
}

/** A part of a text and what takes its place. */
export interface Replacement extends JsonRange {
  readonly text: string;
}

/**
 * Entries after the last one, or in an empty object or list.
 *
 * @param whole the object or list.
 * @param write gives the entries' texts for lines of an indentation.
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
