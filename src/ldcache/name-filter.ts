import type { Cursor } from "./cursor.ts";

/** Tells from a few bytes that a name cannot be one of the wanted ones, so that it need not be decoded. */
export type NameFilter = (cursor: Cursor, offset: number) => boolean;

/** After `lib`, the next four bytes tell nearly all names apart, and they are one number to compare. */
const SKIPPED = 3;
const COMPARED = 4;

/**
 * Makes a filter for names that begin with one of the prefixes. It may let others pass, it never holds one back.
 *
 * @param prefixes ASCII; one of less than seven characters switches the filter off.
 */
export function nameFilter(prefixes: readonly string[]): NameFilter {
  const words = new Set<number>();
  for (const prefix of prefixes) {
    if (prefix.length < SKIPPED + COMPARED) return () => true;
    let word = 0;
    for (let i = COMPARED - 1; i >= 0; i--) word = word * 256 + prefix.charCodeAt(SKIPPED + i);
    words.add(word);
  }
  return (cursor, offset) =>
    offset + SKIPPED + COMPARED <= cursor.length && words.has(cursor.u32("key", offset + SKIPPED));
}
