import { quote } from "../text/quote.ts";
import { type ErrorCode, NvociError } from "./errors.ts";

/** A document's name for messages, and the code of errors about it. */
export interface Document {
  /** `/run/x/config.json`, `the OCI state`. */
  readonly name: string;
  readonly code: ErrorCode;
}

/** A JSON object or a TOML table whose members are not checked yet. */
export type PlainObject = { readonly [key: string]: unknown };

/** Reports whether a value is an object, and not a list or a date. */
export const isPlainObject = (value: unknown): value is PlainObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);

const isBoolean = (value: unknown): value is boolean => typeof value === "boolean";
const isString = (value: unknown): value is string => typeof value === "string";
const isNumber = (value: unknown): value is number => typeof value === "number";
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** Describes a value for a message, with its article. */
export function describeValue(value: unknown): string {
  if (isString(value)) return `the string ${quote(value)}`;
  if (isList(value)) return "a list";
  if (isPlainObject(value)) return "an object";
  if (value === null) return "null";
  return value instanceof Date ? "a date" : `the ${typeof value} ${String(value)}`;
}

/** Returns the error for a fault in a document: `Cannot read "<name>": <reason>`. */
export const faulty = (document: Document, reason: string): NvociError =>
  new NvociError(document.code, `Cannot read ${quote(document.name, 4096)}: ${reason}`);

/**
 * Reads the members of one object and checks their types. Members that are not read are not checked.
 *
 * A method returns `undefined` for an absent member. `null` counts as absent, as in the Go structures of the
 * runtime specification; TOML has no null. Every method throws an NvociError with the document's code, which names
 * the member, when the value has another type.
 */
export class ObjectReader {
  readonly document: Document;
  /** Path of the object in the document, for messages: `process.`; empty at the top. */
  protected readonly place: string;
  /** The object itself. */
  readonly all: PlainObject;

  constructor(document: Document, members: PlainObject, place = "") {
    this.document = document;
    this.all = members;
    this.place = place;
  }

  /** Returns the value, of any type. */
  value(key: string): unknown {
    return Object.hasOwn(this.all, key) ? this.all[key] : undefined;
  }

  boolean(key: string): boolean | undefined {
    return this.take(key, "true or false", isBoolean);
  }

  string(key: string): string | undefined {
    return this.take(key, "a string", isString);
  }

  /** Returns an integer from 0 to 2^53 - 1. */
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

  /** Returns the value of a member, which must be present and not empty. */
  required<T>(key: string, value: T | undefined): T {
    if (value !== undefined && value !== "") return value;
    throw this.invalid(key, "is missing");
  }

  /** Returns the error for a member: `Cannot read "<document>": <key> <reason>`. */
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
