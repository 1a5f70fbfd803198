import { afterAll, describe, expect, it } from "vitest";
import { agedTables, checkedTables, tablesOf } from "../../support/build/checked-facts.ts";

const tables = checkedTables();

describe("the facts about NVIDIA's driver", () => {
  it("have a source and one date", () => {
    expect(tables.length).toBeGreaterThan(10);
    const faults = tables.filter(
      ({ dates: [date = "", ...others], hasSource }) =>
        !hasSource ||
        others.length > 0 ||
        !/^2\d{3}-\d{2}-\d{2}$/.test(date) ||
        Number.isNaN(new Date(date).getTime()),
    );
    expect(faults).toEqual([]);
  });

  // Said and not a failure, because an old release must pass its own tests forever. CI has no reader.
  afterAll(() => {
    if (process.env.CI) return;
    for (const sentence of agedTables(tables, new Date())) console.warn(sentence);
  });
});

describe("agedTables()", () => {
  const table = (date: string) => ({ name: "x.ts: X", dates: [date], hasSource: true });

  it.each([
    ["2026-08-21", "2026-11-21", false],
    ["2026-08-20", "2026-11-21", true],
    ["2026-11-21", "2026-11-21", false],
    ["2025-12-31", "2026-02-01", false],
    ["2025-10-31", "2026-02-01", true],
  ])("of tables checked on %s is, on %s, %s", (date, today, isAged) => {
    const sentences = agedTables([table(date)], new Date(today));
    expect(sentences).toHaveLength(isAged ? 1 : 0);
    for (const sentence of sentences) expect(sentence).toContain(`x.ts: X was checked on ${date}`);
  });

  it("name every table of this program once its facts are a year old", () => {
    const later = new Date();
    later.setUTCFullYear(later.getUTCFullYear() + 1);
    expect(agedTables(tables, later)).toHaveLength(tables.length);
  });
});

describe("tablesOf()", () => {
  it("reads exported constants in capital letters or with a date, and their sources", () => {
    const text = `
/**
 * One.
 *
 * @see "A manual", and
 * its second line
 * @checked 2026-01-02
 */
export const ONE_1: readonly string[] = [];
/** Two. */
export const TWO = { a: 1 } as const;
/** @checked 2026-01-03 */
export const three = () => [3];
/** Not a table. */
export const four = () => 4;
const FIVE = 5;`;
    expect(tablesOf("x.ts", text)).toEqual([
      { name: "x.ts: ONE_1", dates: ["2026-01-02"], hasSource: true },
      { name: "x.ts: TWO", dates: [], hasSource: false },
      { name: "x.ts: three", dates: ["2026-01-03"], hasSource: false },
    ]);
  });
});
