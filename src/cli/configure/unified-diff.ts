/** Lines shown before and after a change. */
const CONTEXT = 3;

/** Returns the lines of a text, and whether the last one ends in a line break. */
function split(text: string | undefined): { lines: readonly string[]; ended: boolean } {
  if (text === undefined || text === "") return { lines: [], ended: true };
  const ended = text.endsWith("\n");
  return { lines: (ended ? text.slice(0, -1) : text).split("\n"), ended };
}

const range = (start: number, count: number): string => `${count === 0 ? start : start + 1},${count}`;

/**
 * Returns the difference between two texts in the format of patch(1), as one hunk from the first change to the
 * last.
 *
 * @param before the old text; `undefined` if the file does not exist. The same applies to `after`.
 * @returns no lines when nothing changes.
 * @see diff(1), option -u
 */
export function unifiedDiff(path: string, before: string | undefined, after: string | undefined): string[] {
  if (before === after) return [];
  const [a, b] = [split(before), split(after)];
  // A last line without a line break differs from the same line with one.
  const mark = ({ lines, ended }: typeof a): string[] =>
    lines.map((line, index) =>
      ended || index < lines.length - 1 ? line : `${line}\n\\ No newline at end of file`,
    );
  const [old, now] = [mark(a), mark(b)];
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start++;
  let end = 0;
  while (end < old.length - start && end < now.length - start && old.at(-1 - end) === now.at(-1 - end)) end++;
  const first = Math.max(0, start - CONTEXT);
  const tail = Math.max(0, end - CONTEXT);
  const [oldEnd, nowEnd] = [old.length - end, now.length - end];
  return [
    before === undefined ? "--- /dev/null" : `--- ${path}`,
    after === undefined ? "+++ /dev/null" : `+++ ${path}`,
    `@@ -${range(first, old.length - tail - first)} +${range(first, now.length - tail - first)} @@`,
    ...old.slice(first, start).map((line) => ` ${line}`),
    ...old.slice(start, oldEnd).map((line) => `-${line}`),
    ...now.slice(start, nowEnd).map((line) => `+${line}`),
    ...old.slice(oldEnd, old.length - tail).map((line) => ` ${line}`),
  ].flatMap((line) => line.split("\n"));
}
