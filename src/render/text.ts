import { hasControlCharacter, quote } from "../text/quote.ts";

/** A number with its noun: `1 entry`, `2 entries`. */
export const counted = (count: number, one: string, many: string): string =>
  `${count} ${count === 1 ? one : many}`;

/** A path as a person reads it: quoted only where it could steer a terminal or end the line. */
export const showPath = (path: string): string => (hasControlCharacter(path) ? quote(path, 4096) : path);

/**
 * Rows as lines of aligned columns, two blanks apart.
 *
 * @param rows cells of plain text; every row has as many as the first. The last column is not padded.
 */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((widest, row) => Math.max(widest, (row[column] ?? "").length), 0),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
