import { MANIFEST_FILES } from "./manifests.ts";
import type { DemoReport } from "./report.ts";

/** The output of `nvoci plan --json`. */
export interface Plan {
  readonly operations: readonly { readonly op: string }[];
}

/** Shows the host's manifests and the hook's plan. */
export function showHost(report: DemoReport, { operations }: Plan): void {
  report.section("The host: a Jetson with L4T 36.4.3 made of files, in a private mount namespace");
  for (const [name, text] of Object.entries(MANIFEST_FILES)) {
    const lines = text.split("\n").filter((line) => /^\w/.test(line));
    report.line(`${name}: ${tally(lines.map((line) => line.split(",")[0] ?? ""))}`);
  }
  const kinds = operations.map(({ op }) => op);
  report.section("The plan");
  report.line(tally(kinds));
  const devices = kinds.filter((op) => op === "bind-device");
  report.check(
    "has the two devices and a cache refresh",
    devices.length === 2 && kinds.includes("update-ldcache"),
  );
}

/** Counts words: `2 lib, 1 sym`, in the order of first appearance. */
function tally(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${count} ${word}`).join(", ");
}
