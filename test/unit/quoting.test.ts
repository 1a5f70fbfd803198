import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../../build/root.ts";

/**
 * Where a template adds quotation marks itself: `quote()`, log lines with nvoci's own values, and an option that
 * the kernel reads.
 */
const ALLOWED: readonly string[] = [
  "text/quote.ts",
  "hook/log.ts",
  "runtime/runtime-log.ts",
  "execute/mount/cover-directory.ts",
];

describe("a value from outside", () => {
  it("reaches messages only through quote(), so it cannot control a terminal", () => {
    const source = join(root, "src");
    const raw = readdirSync(source, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && !ALLOWED.includes(name))
      .flatMap((name) =>
        readFileSync(join(source, name), "utf8")
          .split("\n")
          .flatMap((line, index) => (/"\$\{/.test(line) ? [`${name}:${index + 1}: ${line.trim()}`] : [])),
      );
    expect(raw).toEqual([]);
  });
});
