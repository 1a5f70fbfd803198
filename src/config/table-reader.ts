import { parse, TomlError } from "smol-toml";
import { NvociError } from "../model/errors.ts";
import { type Finding, type FindingArguments, finding, type Report } from "../model/finding.ts";
import { isPlainObject, ObjectReader, type PlainObject } from "../model/object-reader.ts";
import { type HostPath, hostPath } from "../model/paths.ts";
import { quote } from "../text/quote.ts";
import { isUsual, KEYS_WITHOUT_EFFECT } from "./keys-without-effect.ts";

/** A valid file has four levels; the parser recurses for each one. */
const MAX_DEPTH = 16;

/**
 * Parses a TOML 1.0 document.
 *
 * @param fileName the file's name in errors.
 * @throws {NvociError} "config-invalid" when the text is not TOML; the message has the line and column.
 */
export function parseToml(text: string, fileName: string): PlainObject {
  try {
    return parse(text, { maxDepth: MAX_DEPTH });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The other lines of the message show the place in the text.
    const reason = (error.message.split("\n")[0] as string).replace("Invalid TOML document: ", "");
    throw new NvociError(
      "config-invalid",
      `Cannot read ${quote(fileName, 4096)}: line ${error.line}, column ${error.column}: ${reason}`,
    );
  }
}

/**
 * Reads the members of one table of config.toml, and can report those that were never read.
 *
 * Every method but `reportUnread` throws an NvociError "config-invalid" when it does not accept the
 * value.
 */
export class TableReader extends ObjectReader {
  private readonly report: Report;
  private readonly asked = new Set<string>();

  /** @param report receives the findings of `reportUnread`. */
  constructor(name: string, table: PlainObject, report: Report, place = "") {
    super({ name, code: "config-invalid" }, table, place);
    this.report = report;
  }

  override value(key: string): unknown {
    this.asked.add(key);
    return super.value(key);
  }

  /** Returns a string that is one of the choices. */
  oneOf<W extends string>(key: string, choices: readonly W[]): W | undefined {
    const text = this.string(key);
    if (text === undefined) return undefined;
    const choice = choices.find((candidate) => candidate === text);
    if (choice !== undefined) return choice;
    throw this.invalid(key, `must be one of ${choices.join(", ")}, not ${quote(text)}`);
  }

  /** Returns an absolute path; an empty string counts as absent. */
  path(key: string): HostPath | undefined {
    const text = this.string(key);
    return text ? this.absolutePath(key, text) : undefined;
  }

  /** Returns a list of absolute paths. */
  paths(key: string): readonly HostPath[] | undefined {
    return this.strings(key)?.map((text) => this.absolutePath(key, text));
  }

  /** Returns a reader of the table with that name, or of an empty one if it is absent. */
  table(key: string): TableReader {
    return this.below(key, this.take(key, "a table", isPlainObject) ?? {});
  }

  /** Returns readers of an array of tables; none if it is absent. */
  tables(key: string): readonly TableReader[] {
    const tables = this.items(key, "a table", isPlainObject) ?? [];
    return tables.map((table, index) => this.below(`${key}[${index}]`, table));
  }

  /**
   * Reports every member that was not read: as unknown, or as one without effect unless it has one of the toolkit's
   * own values. Does not look into tables that were read.
   */
  reportUnread(): void {
    const file = this.document.name;
    for (const [name, value] of Object.entries(this.all)) {
      if (this.asked.has(name)) continue;
      const key = this.place + name;
      const unused = KEYS_WITHOUT_EFFECT.get(key);
      if (unused === undefined) {
        this.report(finding("config-key-unknown", "warning", `${file}: ${key}`, { file, key }));
      } else if (!isUsual(unused, value)) {
        this.reportUnused(name, unused.reason);
      }
    }
  }

  /** Reports a key whose value, or a part of it, has no effect. */
  reportUnused(name: string, reason: FindingArguments["config-key-without-effect"]["reason"]): void {
    const file = this.document.name;
    const key = this.place + name;
    this.report(finding("config-key-without-effect", "warning", `${file}: ${key}`, { file, key, reason }));
  }

  /** Returns the finding for a value that nvoci does not support and the one that it uses. */
  replaced(key: string, value: string, used: string, severity: "info" | "warning" = "warning"): Finding {
    const file = this.document.name;
    const args = { file, key: this.place + key, value, used };
    return finding("config-value-replaced", severity, `${file}: ${args.key}`, args);
  }

  private below(key: string, table: PlainObject): TableReader {
    return new TableReader(this.document.name, table, this.report, `${this.place}${key}.`);
  }

  private absolutePath(key: string, text: string): HostPath {
    if (text.startsWith("/") && !text.includes("\0")) return hostPath(text);
    throw this.invalid(key, `must be an absolute path, not ${quote(text)}`);
  }
}
