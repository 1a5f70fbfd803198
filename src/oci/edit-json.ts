import { type Document, faulty } from "../model/object-reader.ts";
import { firstMember, itemsOf, type JsonMember, type JsonRange, membersOf, rootRange } from "./scan-json.ts";

/**
 * Changes single values of a JSON text and leaves every other character as it is: unknown members, the order of keys,
 * spacing, and integers that a JavaScript number cannot hold.
 *
 * The text is valid JSON with an object at the top. `null` counts as absent where an object or a list is wanted; of a
 * key that comes twice the last one holds, as for JSON.parse(). What is added is written in the text's own manner.
 */
export interface JsonText extends Document {
  readonly text: string;
}

/** Keys from the top down. */
export type JsonPath = readonly [string, ...string[]];

interface Place {
  /** The innermost object of the path that is there. */
  readonly object: JsonRange;
  readonly members: readonly JsonMember[];
  /** Its member on the path, which may be `null` or no object. */
  readonly member: JsonMember | undefined;
  /** How many keys lead to the object. */
  readonly depth: number;
}

const isObject = (text: string, { start }: JsonRange): boolean => text[start] === "{";
const isNull = (text: string, { start }: JsonRange): boolean => text[start] === "n";

/** Goes down the path as far as there are objects. */
function locate({ text, ...document }: JsonText, path: JsonPath): Place {
  let object = rootRange(text);
  for (let depth = 0; ; depth++) {
    const members = membersOf(text, object);
    const member = members.filter(({ key }) => key === path[depth]).at(-1);
    const place = { object, members, member, depth };
    if (member === undefined || depth === path.length - 1 || isNull(text, member.value)) return place;
    if (!isObject(text, member.value))
      throw faulty(document, `${path.slice(0, depth + 1).join(".")} must be an object`);
    object = member.value;
  }
}

const replace = (json: JsonText, { start, end }: JsonRange, text: string): JsonText => ({
  ...json,
  text: json.text.slice(0, start) + text + json.text.slice(end),
});

/** White space before the first character of the line that `at` is in. */
function indentAt(text: string, at: number): string {
  const start = text.lastIndexOf("\n", at - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start, at))?.[0] ?? "";
}

/** What one level is indented by; `undefined` for a text without line breaks between members. */
function indentUnit(text: string): string | undefined {
  const first = firstMember(text);
  if (first === undefined) return text.includes("\n") ? "    " : undefined;
  return text.slice(first.object, first.key).includes("\n") ? indentAt(text, first.key) : undefined;
}

/** What stands between a key and its value. */
function colonOf(text: string): string {
  const first = firstMember(text);
  return first === undefined || /:\s+$/.test(text.slice(first.key, first.value)) ? ": " : ":";
}

/** A value as it is written on a line of the given indentation. */
function render(text: string, value: unknown, indent: string): string {
  const unit = indentUnit(text);
  if (unit === undefined) return JSON.stringify(value);
  return JSON.stringify(value, null, unit).replaceAll("\n", `\n${indent}`);
}

/** A comma and white space, as between the last two entries. */
function separator(text: string, whole: JsonRange, entries: readonly JsonRange[]): string {
  const [last, previous] = [entries.at(-1), entries.at(-2)];
  if (last === undefined) return ",";
  return previous === undefined
    ? `,${text.slice(whole.start + 1, last.start)}`
    : text.slice(previous.end, last.start);
}

const memberRange = ({ start, value }: JsonMember): JsonRange => ({ start, end: value.end });

/**
 * Adds entries after the last one, or into an empty object or list.
 *
 * @param write gives the entries' texts for lines of an indentation.
 */
function addEntries(
  json: JsonText,
  whole: JsonRange,
  entries: readonly JsonRange[],
  write: (indent: string) => readonly string[],
): JsonText {
  const { text } = json;
  const last = entries.at(-1);
  if (last !== undefined) {
    const comma = separator(text, whole, entries);
    const added = write(indentAt(text, last.start)).map((entry) => comma + entry);
    return replace(json, { start: last.end, end: last.end }, added.join(""));
  }
  const inside = { start: whole.start + 1, end: whole.end - 1 };
  const unit = indentUnit(text);
  if (unit === undefined) return replace(json, inside, write("").join(","));
  const outer = indentAt(text, whole.start);
  const lines = write(outer + unit).join(`,\n${outer}${unit}`);
  return replace(json, inside, `\n${outer}${unit}${lines}\n${outer}`);
}

/** Wraps a value into the objects of the rest of a path. */
const nest = (keys: readonly string[], value: unknown): unknown =>
  keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);

/**
 * Gives a member its value, in objects that are made where they are missing.
 *
 * @throws NvociError with the document's code when the path leads through something else than objects.
 */
export function setJson(json: JsonText, path: JsonPath, value: unknown): JsonText {
  const { text } = json;
  const { object, members, member, depth } = locate(json, path);
  const nested = nest(path.slice(depth + 1), value);
  if (member !== undefined) {
    return replace(json, member.value, render(text, nested, indentAt(text, member.start)));
  }
  const key = JSON.stringify(path[depth]) + colonOf(text);
  return addEntries(json, object, members.map(memberRange), (indent) => [key + render(text, nested, indent)]);
}

/**
 * Adds items at the end of a list, which is made where it is missing. No items change nothing.
 *
 * @throws NvociError with the document's code when the path leads to or through something else.
 */
export function appendJson(json: JsonText, path: JsonPath, items: readonly unknown[]): JsonText {
  if (items.length === 0) return json;
  const { member, depth } = locate(json, path);
  if (member === undefined || depth < path.length - 1 || isNull(json.text, member.value)) {
    return setJson(json, path, items);
  }
  if (json.text[member.value.start] !== "[") throw faulty(json, `${path.join(".")} must be a list`);
  const list = member.value;
  return addEntries(json, list, itemsOf(json.text, list), (indent) =>
    items.map((item) => render(json.text, item, indent)),
  );
}

/** Removes a member with the comma that it makes superfluous; one that is not there is left at that. */
export function removeJson(json: JsonText, path: JsonPath): JsonText {
  const { object, members, member, depth } = locate(json, path);
  if (member === undefined || depth < path.length - 1) return json;
  const index = members.indexOf(member);
  const [previous, next] = [members[index - 1], members[index + 1]];
  const start = previous?.value.end ?? (next === undefined ? object.start + 1 : member.start);
  const end = previous !== undefined ? member.value.end : (next?.start ?? object.end - 1);
  return replace(json, { start, end }, "");
}
