/** Tells from a few bytes that a name cannot be one of the wanted ones, so that it need not be decoded. */
export type NameFilter = (bytes: Uint8Array, offset: number) => boolean;

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
    for (let i = 0; i < COMPARED; i++) word |= prefix.charCodeAt(SKIPPED + i) << (8 * i);
    words.add(word);
  }
  // Beyond the end of the bytes there are zeros, which no prefix has.
  return (bytes, offset) =>
    words.has(
      bytes[offset + SKIPPED]! |
        (bytes[offset + SKIPPED + 1]! << 8) |
        (bytes[offset + SKIPPED + 2]! << 16) |
        (bytes[offset + SKIPPED + 3]! << 24),
    );
}
