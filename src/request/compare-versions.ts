/** Whether a text consists of numbers with dots between them. */
export const isVersion = (text: string): boolean => /^\d+(?:\.\d+)*$/.test(text);

/**
 * Compares versions number by number. Missing numbers count as 0: `12.1` is `12.1.0`, and `12.9` is older than
 * `12.10`.
 *
 * @returns negative, 0 or positive, as for sorting.
 */
export function compareVersions(a: string, b: string): number {
  const left = a.split(".");
  const right = b.split(".");
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = Number(left[i] ?? 0) - Number(right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
