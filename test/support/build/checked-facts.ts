import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { root } from "../../../build/root.ts";
import { readSources } from "./source-imports.ts";

/** A table of facts about other people's software, and its comment. */
export interface CheckedTable {
  /** `src/driver/facts/libraries.ts: DRIVER_LIBRARIES`. */
  readonly name: string;
  /** The dates of `@checked`, as written. */
  readonly dates: readonly string[];
  /** Whether the comment has a source, `@see`. */
  readonly hasSource: boolean;
}

/** Returns the exported tables of a file: constants in capital letters, and whatever else has a date. */
export function tablesOf(path: string, text: string): readonly CheckedTable[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
  return file.statements.filter(ts.isVariableStatement).flatMap((statement) => {
    const [declaration] = statement.declarationList.declarations;
    const name = declaration?.name.getText() ?? "";
    const isExported = statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
    if (!isExported) return [];
    const tags = ts.getJSDocTags(statement);
    const texts = (tag: string): string[] =>
      tags
        .filter(({ tagName }) => tagName.text === tag)
        .map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? "");
    const dates = texts("checked");
    if (dates.length === 0 && !/^[A-Z][A-Z0-9_]*$/.test(name)) return [];
    return [{ name: `${path}: ${name}`, dates, hasSource: texts("see").length > 0 }];
  });
}

/** Returns the tables in `driver/facts/`, and those elsewhere whose comment has a date. */
export function checkedTables(): readonly CheckedTable[] {
  return readSources().flatMap(({ path }) => {
    const tables = tablesOf(`src/${path}`, readFileSync(join(root, "src", path), "utf8"));
    return path.startsWith("driver/facts/") ? tables : tables.filter(({ dates }) => dates.length > 0);
  });
}

/** A driver branch appears about every two months. */
const MONTHS = 3;

/** Returns a sentence for each table that was checked more than three months before `today`. */
export function agedTables(tables: readonly CheckedTable[], today: Date): readonly string[] {
  const limit = new Date(today);
  limit.setUTCMonth(limit.getUTCMonth() - MONTHS);
  return tables
    .filter(({ dates }) => dates.some((date) => new Date(date) < limit))
    .map(
      ({ name, dates }) =>
        `${name} was checked on ${dates.join(", ")}: compare it with its source, then date it`,
    );
}
