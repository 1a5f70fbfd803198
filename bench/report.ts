/** Prints measurements: medians, ratios, goals. */
import type { Samples } from "./measure.ts";

/** Returns the median of a list. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [below = Number.NaN, above = Number.NaN] = sorted.slice((sorted.length - 1) >> 1);
  return sorted.length % 2 === 1 ? below : (below + above) / 2;
}

/** Formats a number with three significant digits: `1.23` for 1.234. */
export const number = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

/** Returns the interquartile range as `a to b`. */
function middleHalf(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
  return `${number(at(0.25))} to ${number(at(0.75))}`;
}

/** Prints a table. The first column is text, the others are numbers. */
export function table(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  ");
  console.log(`\n${title}\n`);
  for (const text of [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)]) {
    console.log(`  ${text.trimEnd()}`);
  }
}

/** Prints a table of subjects: times in ms, ratios to the yardstick, peak memory in MB. */
export function timeTable(title: string, samples: Samples, yardstick: string): void {
  const base = median((samples.get(yardstick) ?? []).map(({ ms }) => ms));
  const rows = [...samples].map(([name, runs]) => {
    const times = runs.map(({ ms }) => ms);
    const memory = median(runs.map(({ mb }) => mb));
    return [
      name,
      number(median(times)),
      middleHalf(times),
      `${number(median(times) / base)} x`,
      number(memory),
    ];
  });
  table(title, ["", "median ms", "middle half", `of ${yardstick}`, "peak MB"], rows);
}

interface Goal {
  readonly name: string;
  /** `undefined` if it could not be measured. */
  readonly value: number | undefined;
  readonly limit: number;
  readonly unit: string;
}

/** Prints whether each goal is reached. */
export function goals(list: readonly Goal[]): void {
  const rows = list.map(({ name, value, limit, unit }) => {
    const word = value === undefined ? "not measured" : value <= limit ? "reached" : "missed";
    return [name, value === undefined ? "-" : `${number(value)} ${unit}`, `${number(limit)} ${unit}`, word];
  });
  table("Goals", ["", "measured", "at most", ""], rows);
}
