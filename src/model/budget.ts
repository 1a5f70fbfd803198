/**
 * Adds items to the end of a list, however many there are. `list.push(...items)` makes each one an argument of a call,
 * and the native program's engine takes 65,534 of those.
 */
export function append<T>(list: T[], items: readonly T[]): void {
  for (let index = 0; index < items.length; index++) list.push(items[index] as T);
}

/**
 * What one start may spend on work whose amount an image, its environment or its config.json decides. One budget is
 * made per process and shared by every such loop, so that many small excesses add up to a refusal too.
 */
export interface Budget {
  /**
   * Spends steps; one step is about one system call or one comparison of two short names.
   *
   * @returns whether the budget lasts. Once it answered `false` it always does; the caller leaves the rest out and
   * reports a finding.
   */
  spend(steps: number): boolean;
}

/** The clock is read once in so many steps: reading it costs as much as a step. */
const STEPS_PER_CLOCK_READING = 256;

/**
 * Makes a full budget.
 *
 * @param now seconds on a monotonic clock, such as CLOCK_MONOTONIC: a board without a battery sets its time of day
 * by years once it has a network.
 * @param steps how many steps in all.
 * @param seconds how long from now.
 */
export function newBudget(now: () => number, steps: number, seconds: number): Budget {
  const deadline = now() + seconds;
  let left = steps;
  let untilReading = STEPS_PER_CLOCK_READING;
  return {
    spend(count) {
      left -= count;
      untilReading -= count;
      if (left >= 0 && untilReading <= 0) {
        untilReading = STEPS_PER_CLOCK_READING;
        if (now() > deadline) left = -1;
      }
      return left >= 0;
    },
  };
}

/** A budget that lasts, for commands whose input the caller answers for, and for tests. */
export const UNLIMITED: Budget = { spend: () => true };
