import { parse, TomlError } from "smol-toml";
import { NvociError } from "../model/errors.ts";
import { finding, type Report } from "../model/finding.ts";
import { isPlainObject, ObjectReader, type PlainObject } from "../model/object-reader.ts";
import { type HostPath, hostPath } from "../model/paths.ts";
import { quote } from "../text/quote.ts";

/** Nothing in the file is deeper than four; the parser calls itself for each level. */
const MAX_DEPTH = 16;

/**
 * Parses a TOML 1.0 document.
 *
 * @param fileName for the error.
 * @throws NvociError `config-invalid` with line and column.
 */
export function parseToml(text: string, fileName: string): PlainObject {
  try {
    return parse(text, { maxDepth: MAX_DEPTH });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The message goes on with a picture of the place, over several lines.
    const reason = (error.message.split("\n")[0] as string).replace("Invalid TOML document: ", "");
    throw new NvociError(
      "config-invalid",
      `Cannot read ${quote(fileName, 4096)}: line ${error.line}, column ${error.column}: ${reason}`,
    );
  }
}

/**
 * Reads the members of one table of config.toml, and knows at the end which were never asked for.
 *
 * Every method but `ignore` and `reportUnknown` throws an NvociError `config-invalid` for a value it does not accept.
 */
export class TableReader extends ObjectReader {
  private readonly report: Report;
  private readonly asked = new Set<string>();

  /** @param report takes what `reportUnknown` finds. */
  constructor(name: string, table: PlainObject, report: Report, place = "") {
    super({ name, code: "config-invalid" }, table, place);
    this.report = report;
  }

  override value(key: string): unknown {
    this.asked.add(key);
    return super.value(key);
  }

  /** One of a few texts. */
  oneOf<W extends string>(key: string, choices: readonly W[]): W | undefined {
    const text = this.string(key);
    if (text === undefined) return undefined;
    const choice = choices.find((candidate) => candidate === text);
    if (choice !== undefined) return choice;
    throw this.invalid(key, `must be one of ${choices.join(", ")}, not ${quote(text)}`);
  }

  /** An absolute path; an empty string counts as absent. */
  path(key: string): HostPath | undefined {
    const text = this.string(key);
    return text ? this.absolutePath(key, text) : undefined;
  }

  /** Absolute paths. */
  paths(key: string): readonly HostPath[] | undefined {
    return this.strings(key)?.map((text) => this.absolutePath(key, text));
  }

  /** The table of that name; an empty one where it is absent. */
  table(key: string): TableReader {
    return this.below(key, this.take(key, "a table", isPlainObject) ?? {});
  }

  /** The tables of an array of tables; none where it is absent. */
  tables(key: string): readonly TableReader[] {
    const tables = this.items(key, "a table", isPlainObject) ?? [];
    return tables.map((table, index) => this.below(`${key}[${index}]`, table));
  }

  /** Accepts members of any type without using them. */
  ignore(...keys: readonly string[]): void {
    for (const key of keys) this.asked.add(key);
  }

  /** Reports every member that was not asked for; tables that were are not looked into. */
  reportUnknown(): void {
    const file = this.document.name;
    for (const key of Object.keys(this.all)) {
      if (this.asked.has(key)) continue;
      const args = { file, key: this.place + key };
      this.report(finding("config-key-unknown", "warning", `${file}: ${args.key}`, args));
    }
  }

  private below(key: string, table: PlainObject): TableReader {
    return new TableReader(this.document.name, table, this.report, `${this.place}${key}.`);
  }

  private absolutePath(key: string, text: string): HostPath {
    if (text.startsWith("/") && !text.includes("\0")) return hostPath(text);
    throw this.invalid(key, `must be an absolute path, not ${quote(text)}`);
  }
}
