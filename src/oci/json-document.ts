import { type ErrorCode, NvociError } from "../model/errors.ts";
import { quote } from "../model/quote.ts";
import { findJsonFault } from "./json-fault.ts";

/**
 * A JSON text with a name for people and the class of error that a fault in it has.
 *
 * The functions that read its members take `null` for an absent one, as the Go structures of the runtime specification
 * do. Their `path` is the member's place for people: `process.env`.
 */
export interface JsonDocument {
  /** `/run/x/config.json`, `the OCI state`. */
  readonly name: string;
  readonly code: ErrorCode;
}

/** A JSON object whose members have not been looked at. */
export type JsonObject = { readonly [key: string]: unknown };

/** The error for a fault in the document: `Cannot read "<name>": <reason>`. */
export const faulty = (document: JsonDocument, reason: string): NvociError =>
  new NvociError(document.code, `Cannot read ${quote(document.name, 4096)}: ${reason}`);

/**
 * Parses a text whose top level is an object. An engine may take more for JSON than JSON is: see
 * `refuseOtherReadings()`.
 *
 * The parser's own words are left out of the error: they differ between engines.
 *
 * @throws NvociError with the document's code, which names line and column where the text is not JSON.
 */
export function parseJsonObject(document: JsonDocument, text: string): JsonObject {
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
  if (isJsonObject(value)) return value;
  throw faulty(document, `it must be an object, not ${kindOf(value)}`);
}

/** Where and why the text is not JSON that everybody reads alike; `undefined` where it is. */
export function describeFault(text: string): string | undefined {
  const fault = findJsonFault(text);
  if (fault === undefined) return undefined;
  const { line, column, duplicate } = fault;
  const what = duplicate === undefined ? "is not JSON" : `has the key ${quote(duplicate)} a second time`;
  return `line ${line}, column ${column} ${what}`;
}

/** Whether a value is an object, and no list. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What a JSON value is, with its article. */
function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

const mistyped = (document: JsonDocument, path: string, expected: string, value: unknown): NvociError =>
  faulty(document, `${path} must be ${expected}, not ${kindOf(value)}`);

/**
 * An object, or `undefined` where there is none.
 *
 * @throws NvociError with the document's code for a value of another type.
 */
export function readObject(document: JsonDocument, path: string, value: unknown): JsonObject | undefined {
  if (value === undefined || value === null) return undefined;
  if (isJsonObject(value)) return value;
  throw mistyped(document, path, "an object", value);
}

/**
 * A string, or `undefined` where there is none.
 *
 * @throws NvociError with the document's code for a value of another type.
 */
export function readString(document: JsonDocument, path: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw mistyped(document, path, "a string", value);
}

/**
 * A boolean; false where there is none.
 *
 * @throws NvociError with the document's code for a value of another type.
 */
export function readBoolean(document: JsonDocument, path: string, value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === "boolean") return value;
  throw mistyped(document, path, "true or false", value);
}

/**
 * An integer from 0 to 2^53 - 1, or `undefined` where there is none.
 *
 * @throws NvociError with the document's code for a value of another type.
 */
export function readCount(document: JsonDocument, path: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number") throw mistyped(document, path, "a number", value);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw faulty(document, `${path} must be a whole number of at least 0, not ${value}`);
}

/**
 * A list of anything; empty where there is none.
 *
 * @throws NvociError with the document's code for a value of another type.
 */
export function readList(document: JsonDocument, path: string, value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw mistyped(document, path, "a list", value);
}

/**
 * A list of strings; empty where there is none.
 *
 * @throws NvociError with the document's code for a value of another type.
 */
export function readStrings(document: JsonDocument, path: string, value: unknown): readonly string[] {
  const list = readList(document, path, value);
  for (let index = 0; index < list.length; index += 1) {
    if (typeof list[index] !== "string")
      throw mistyped(document, `${path}[${index}]`, "a string", list[index]);
  }
  return list as readonly string[];
}

/**
 * A list of objects; empty where there is none.
 *
 * @throws NvociError with the document's code for a value of another type.
 */
export function readObjects(document: JsonDocument, path: string, value: unknown): readonly JsonObject[] {
  const list = readList(document, path, value);
  for (let index = 0; index < list.length; index += 1) {
    if (!isJsonObject(list[index])) throw mistyped(document, `${path}[${index}]`, "an object", list[index]);
  }
  return list as readonly JsonObject[];
}
