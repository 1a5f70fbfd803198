import { quote } from "../text/quote.ts";
import { type ErrorCode, NvociError } from "./errors.ts";

/** A document with a name for messages, and the class of error that a fault in it has. */
export interface Document {
  /** `/run/x/config.json`, `the OCI state`. */
  readonly name: string;
  readonly code: ErrorCode;
}

/** A JSON object or a TOML table whose members have not been looked at. */
export type PlainObject = { readonly [key: string]: unknown };

/** Whether a value is an object, and not a list or a date. */
export const isPlainObject = (value: unknown): value is PlainObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);

const isBoolean = (value: unknown): value is boolean => typeof value === "boolean";
const isString = (value: unknown): value is string => typeof value === "string";
const isNumber = (value: unknown): value is number => typeof value === "number";
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** What a value is, with its article. */
export function describeValue(value: unknown): string {
  if (isString(value)) return `the string ${quote(value)}`;
  if (isList(value)) return "a list";
  if (isPlainObject(value)) return "an object";
  if (value === null) return "null";
  return value instanceof Date ? "a date" : `the ${typeof value} ${String(value)}`;
}

/** The error for a fault in a document: `Cannot read "<name>": <reason>`. */
export const faulty = (document: Document, reason: string): NvociError =>
  new NvociError(document.code, `Cannot read ${quote(document.name, 4096)}: ${reason}`);

/**
 * Reads the members of one object, each with its type checked. Members that nobody asks for are not looked at.
 *
 * A method answers `undefined` for an absent member. `null` counts as absent, as in the Go structures of the runtime
 * specification; TOML has none. Every method throws an NvociError with the document's code, which names the member,
 * for a value of another type.
 */
export class ObjectReader {
  readonly document: Document;
  /** Where the object is in the document, for messages: `process.`; empty for the top. */
  protected readonly place: string;
  /** The object itself. */
  readonly all: PlainObject;

  constructor(document: Document, members: PlainObject, place = "") {
    this.document = document;
    this.all = members;
    this.place = place;
  }

  /** The value as it is, of any type. */
  value(key: string): unknown {
    return Object.hasOwn(this.all, key) ? this.all[key] : undefined;
  }

  boolean(key: string): boolean | undefined {
    return this.take(key, "true or false", isBoolean);
  }

  string(key: string): string | undefined {
    return this.take(key, "a string", isString);
  }

  /** An integer from 0 to 2^53 - 1. */
  count(key: string): number | undefined {
    const value = this.take(key, "a number", isNumber);
    if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return value;
    throw this.invalid(key, `must be a whole number of at least 0, not ${value}`);
  }

  list(key: string): readonly unknown[] | undefined {
    return this.take(key, "a list", isList);
  }

  strings(key: string): readonly string[] | undefined {
    return this.items(key, "a string", isString);
  }

  object(key: string): ObjectReader | undefined {
    const value = this.take(key, "an object", isPlainObject);
    return value && new ObjectReader(this.document, value, `${this.place}${key}.`);
  }

  objects(key: string): readonly ObjectReader[] | undefined {
    return this.items(key, "an object", isPlainObject)?.map(
      (value, index) => new ObjectReader(this.document, value, `${this.place}${key}[${index}].`),
    );
  }

  /** A member that has to be there and not to be empty. */
  required<T>(key: string, value: T | undefined): T {
    if (value !== undefined && value !== "") return value;
    throw this.invalid(key, "is missing");
  }

  /** The error for a member: `Cannot read "<document>": <key> <reason>`. */
  invalid(key: string, reason: string): NvociError {
    return faulty(this.document, `${this.place}${key} ${reason}`);
  }

  protected take<T>(key: string, expected: string, accepts: (value: unknown) => value is T): T | undefined {
    const value = this.value(key);
    if (value === undefined || value === null) return undefined;
    if (accepts(value)) return value;
    throw this.invalid(key, `must be ${expected}, not ${describeValue(value)}`);
  }

  protected items<T>(
    key: string,
    expected: string,
    accepts: (value: unknown) => value is T,
  ): readonly T[] | undefined {
    const list = this.list(key);
    if (list === undefined) return undefined;
    for (let index = 0; index < list.length; index++) {
      if (!accepts(list[index])) {
        throw this.invalid(`${key}[${index}]`, `must be ${expected}, not ${describeValue(list[index])}`);
      }
    }
    return list as readonly T[];
  }
}
