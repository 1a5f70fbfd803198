import {
  type Document,
  describeValue,
  faulty,
  isPlainObject,
  ObjectReader,
  type PlainObject,
} from "../model/object-reader.ts";
import { quote } from "../model/quote.ts";
import { findJsonFault } from "./json-fault.ts";

/**
 * Parses a text whose top level is an object. An engine may take more for JSON than JSON is: see
 * `refuseOtherReadings()`.
 *
 * The parser's own words are left out of the error: they differ between engines.
 *
 * @throws NvociError with the document's code, which names line and column where the text is not JSON.
 */
export function parseJsonObject(document: Document, text: string): PlainObject {
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
  if (isPlainObject(value)) return value;
  throw faulty(document, `it must be an object, not ${describeValue(value)}`);
}

/** Parses a text whose top level is an object, to have its members read. @throws NvociError as `parseJsonObject()` */
export const readJsonObject = (document: Document, text: string): ObjectReader =>
  new ObjectReader(document, parseJsonObject(document, text));

/** Where and why the text is not JSON that everybody reads alike; `undefined` where it is. */
export function describeFault(text: string): string | undefined {
  const fault = findJsonFault(text);
  if (fault === undefined) return undefined;
  const { line, column, duplicate } = fault;
  const what = duplicate === undefined ? "is not JSON" : `has the key ${quote(duplicate)} a second time`;
  return `line ${line}, column ${column} ${what}`;
}
