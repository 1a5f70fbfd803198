import { type Budget, newBudget } from "../model/budget.ts";
import { CLOCK_MONOTONIC } from "./constants.ts";
import type { Syscalls } from "./syscalls.ts";

/** Real images take some hundred steps. So many take about a quarter of a second. */
const STEPS = 65_536;

/** A backstop for file systems that answer slowly; steps decide otherwise, because they are the same on every machine. */
const SECONDS = 5;

const budgets = new WeakMap<Syscalls, Budget>();

/**
 * The budget of this process: one for each connection to the kernel, of which a process has one. It is made when it is
 * first asked for, so that a container that asks for nothing does not read the clock.
 */
export function processBudget(system: Syscalls): Budget {
  let budget = budgets.get(system);
  if (budget === undefined) {
    budget = newBudget(() => system.clock_gettime(CLOCK_MONOTONIC), STEPS, SECONDS);
    budgets.set(system, budget);
  }
  return budget;
}
