import { NvociError } from "../model/errors.ts";
import { type Finding, finding } from "../model/finding.ts";
import { type HostPath, hostPath } from "../model/paths.ts";
import { quote } from "../model/quote.ts";

/** A value of config.toml. */
export type TomlValue = unknown;

/** A table of config.toml whose members have not been looked at. */
export type TomlTable = { readonly [key: string]: TomlValue };

/** What reading a file gathers: its name for errors, and findings as they come. */
export interface ConfigFile {
  readonly name: string;
  readonly findings: Finding[];
}

/**
 * Reads the members of one table, each with a default for an absent one, and knows at the end which were never
 * asked for. Every method but `unknown` throws an NvociError `config-invalid` for a value it does not accept.
 */
export interface TableReader {
  boolean(key: string, absent: boolean): boolean;
  /** An empty string is given as it is. */
  string(key: string, absent: string): string;
  strings(key: string, absent: readonly string[]): readonly string[];
  /** One of a few words. */
  word<W extends string>(key: string, words: readonly W[], absent: W): W;
  /** An absolute path; an empty string counts as absent. */
  path(key: string): HostPath | undefined;
  /** Absolute paths. */
  paths(key: string, absent: readonly HostPath[]): readonly HostPath[];
  /** The table of that name; an empty one where there is none. */
  table(key: string): TableReader;
  /** The tables of an array of tables. */
  tables(key: string): readonly TableReader[];
  /** Accepts members of any type without using them. */
  ignore(...keys: readonly string[]): void;
  /** Reports every member that was not asked for; tables that were are not looked into. */
  reportUnknown(): void;
  /** The error for a member: `Cannot read "FILE": <key> <reason>`. */
  invalid(key: string, reason: string): NvociError;
}

/**
 * @param place the table's place in the file with a final dot, `nvidia-container-runtime.`; empty for the top.
 */
export function readTable(file: ConfigFile, table: TomlTable, place: string): TableReader {
  const asked = new Set<string>();

  const invalid = (key: string, reason: string) =>
    new NvociError("config-invalid", `Cannot read ${quote(file.name, 4096)}: ${place}${key} ${reason}`);

  function take<T>(key: string, expected: string, accepts: (value: unknown) => value is T): T | undefined {
    asked.add(key);
    if (!Object.hasOwn(table, key)) return undefined;
    const value = table[key];
    if (accepts(value)) return value;
    throw invalid(key, `must be ${expected}, not ${describe(value)}`);
  }

  function absolutePath(key: string, text: string): HostPath {
    if (text.startsWith("/") && !text.includes("\0")) return hostPath(text);
    throw invalid(key, `must be an absolute path, not ${quote(text)}`);
  }

  const reader: TableReader = {
    boolean: (key, absent) => take(key, "true or false", isBoolean) ?? absent,
    string: (key, absent) => take(key, "a string", isString) ?? absent,
    strings: (key, absent) => take(key, "a list of strings", isStrings) ?? absent,
    word(key, words, absent) {
      const text = take(key, "a string", isString);
      if (text === undefined) return absent;
      const word = words.find((candidate) => candidate === text);
      if (word !== undefined) return word;
      throw invalid(key, `must be one of ${words.join(", ")}, not ${quote(text)}`);
    },
    path(key) {
      const text = take(key, "a string", isString);
      return text ? absolutePath(key, text) : undefined;
    },
    paths(key, absent) {
      const texts = take(key, "a list of strings", isStrings);
      return texts ? texts.map((text) => absolutePath(key, text)) : absent;
    },
    table: (key) => readTable(file, take(key, "a table", isTable) ?? {}, `${place}${key}.`),
    tables: (key) =>
      (take(key, "an array of tables", isTables) ?? []).map((member, index) =>
        readTable(file, member, `${place}${key}[${index}].`),
      ),
    ignore(...keys) {
      for (const key of keys) asked.add(key);
    },
    reportUnknown() {
      for (const key of Object.keys(table)) {
        if (asked.has(key)) continue;
        const args = { file: file.name, key: place + key };
        file.findings.push(finding("config-key-unknown", "warning", `${file.name}: ${args.key}`, args));
      }
    },
    invalid,
  };
  return reader;
}

const isBoolean = (value: unknown): value is boolean => typeof value === "boolean";
const isString = (value: unknown): value is string => typeof value === "string";
const isStrings = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every(isString);
const isTable = (value: unknown): value is TomlTable =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
const isTables = (value: unknown): value is readonly TomlTable[] =>
  Array.isArray(value) && value.every(isTable);

/** What a value is, with its article. */
function describe(value: unknown): string {
  if (isString(value)) return `the string ${quote(value)}`;
  if (isTable(value)) return "a table";
  if (Array.isArray(value)) return "a list";
  return value instanceof Date ? "a date" : `the ${typeof value} ${String(value)}`;
}
