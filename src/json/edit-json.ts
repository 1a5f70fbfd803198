import { type Document, faulty } from "../model/object-reader.ts";
import { colonOf, entriesAfter, indentAt, render } from "./json-manner.ts";
import { type JsonMember, type JsonRange, membersOf, rootRange } from "./scan-json.ts";

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

const memberRange = ({ start, value }: JsonMember): JsonRange => ({ start, end: value.end });

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
  const [previous, last] = [members.at(-2), members.at(-1)].map((entry) => entry && memberRange(entry));
  const added = entriesAfter(text, object, { last, previous }, (indent) => [
    key + render(text, nested, indent),
  ]);
  return replace(json, added, added.text);
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
