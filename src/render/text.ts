import { hasControlCharacter, quote } from "../text/quote.ts";

/*
 * Small because every report of the command line uses it.
 */

/** Returns a number with its noun: `1 entry`, `2 entries`. */
export const counted = (count: number, one: string, many: string): string =>
  `${count} ${count === 1 ? one : many}`;

/** Returns a path, or a value that an image decides, for display: quoted only if it contains control characters. */
export const showPath = (path: string): string => (hasControlCharacter(path) ? quote(path, 4096) : path);

/**
 * Formats rows as lines of aligned columns, two spaces apart.
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
