import { type Document, faulty } from "../model/object-reader.ts";
import { colonOf, entriesAfter, indentAt, render } from "./json-manner.ts";
import { type JsonMember, type JsonRange, membersOf, rootRange } from "./scan-json.ts";

/**
 * A JSON text to edit. Edits change single values and keep every other character: unknown members, the order of
 * keys, white space, and integers that a JavaScript number cannot represent.
 *
 * The text must be valid JSON with an object at the top. `null` counts as absent where an object or a list is
 * expected. The last duplicate key wins, as in JSON.parse(). Additions follow the text's own formatting.
 */
export interface JsonText extends Document {
  readonly text: string;
}

/** Keys from the top down. */
export type JsonPath = readonly [string, ...string[]];

/** How far a path leads in a document. */
interface Located {
  /** The innermost existing object on the path. */
  readonly object: JsonRange;
  readonly members: readonly JsonMember[];
  /** Its member on the path, which may be `null` or not an object. */
  readonly member: JsonMember | undefined;
  /** How many keys lead to the object. */
  readonly depth: number;
}

const isObject = (text: string, { start }: JsonRange): boolean => text[start] === "{";
const isNull = (text: string, { start }: JsonRange): boolean => text[start] === "n";

/** Follows the path as far as objects exist. */
function locate({ text, ...document }: JsonText, path: JsonPath): Located {
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

const memberRange = ({ start, value }: JsonMember): JsonRange => ({ start, end: value.end });

/** Wraps a value in an object for each key. */
const nest = (keys: readonly string[], value: unknown): unknown =>
  keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);

/**
 * Sets a member's value, and creates missing objects on the path.
 *
 * @throws {NvociError} the document's code when the path leads through a value that is not an object.
 */
export function setJson(json: JsonText, path: JsonPath, value: unknown): JsonText {
  const { text } = json;
  const { object, members, member, depth } = locate(json, path);
  const nested = nest(path.slice(depth + 1), value);
  if (member !== undefined) {
    return replace(json, member.value, render(text, nested, indentAt(text, member.start)));
  }
  const key = JSON.stringify(path[depth]) + colonOf(text);
  const [previous, last] = [members.at(-2), members.at(-1)].map((entry) => entry && memberRange(entry));
  const added = entriesAfter(text, object, { last, previous }, (indent) => [
    key + render(text, nested, indent),
  ]);
  return replace(json, added, added.text);
}

/** Removes a member and its comma. Returns the text unchanged if there is no such member. */
export function removeJson(json: JsonText, path: JsonPath): JsonText {
  const { object, members, member, depth } = locate(json, path);
  if (member === undefined || depth < path.length - 1) return json;
  const index = members.indexOf(member);
  const [previous, next] = [members[index - 1], members[index + 1]];
  const start = previous?.value.end ?? (next === undefined ? object.start + 1 : member.start);
  const end = previous !== undefined ? member.value.end : (next?.start ?? object.end - 1);
  return replace(json, { start, end }, "");
}
