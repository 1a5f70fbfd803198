import { describe, expect, it } from "vitest";
import { newBudget, UNLIMITED } from "../../../src/model/budget.ts";

describe("Budget", () => {
  it("lasts for exactly its steps", () => {
    const budget = newBudget(() => 0, 10, 1);
    expect(budget.spend(10)).toBe(true);
    expect(budget.spend(1)).toBe(false);
  });

  it("stays exhausted, even for zero steps", () => {
    const budget = newBudget(() => 0, 10, 1);
    budget.spend(11);
    expect(budget.spend(0)).toBe(false);
  });

  it("ends at its deadline even if steps are left", () => {
    let now = 5;
    const budget = newBudget(() => now, 1_000_000, 2);
    expect(budget.spend(1000)).toBe(true);
    now = 7.5;
    expect(budget.spend(1000)).toBe(false);
    now = 0;
    expect(budget.spend(1)).toBe(false);
  });

  it("never ends if it is unlimited", () => {
    expect(UNLIMITED.spend(Number.MAX_SAFE_INTEGER)).toBe(true);
  });
});
