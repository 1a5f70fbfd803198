/**
 * Appends items to a list, however many there are. `list.push(...items)` makes each item an argument of the call,
 * and the native program's JavaScript engine accepts at most 65,534.
 */
export function append<T>(list: T[], items: readonly T[]): void {
  for (let index = 0; index < items.length; index++) list.push(items[index] as T);
}

/**
 * What one start may spend on work whose amount an image, its environment or its config.json decides. Every such
 * loop of a process shares one budget, so that many small excesses add up too.
 */
export interface Budget {
  /**
   * Spends steps. A step is about one system call, or one comparison of two short names.
   *
   * @returns whether the budget lasts. After the first `false` it always returns `false`; the caller skips the
   * rest and reports a finding.
   */
  spend(steps: number): boolean;
}

/** Steps between two readings of the clock, because a reading costs as much as a step. */
const STEPS_PER_CLOCK_READING = 256;

/**
 * Returns a full budget.
 *
 * @param now returns seconds of a monotonic clock, such as CLOCK_MONOTONIC: the time of day of a board without a
 * battery jumps by years once the board has a network.
 * @param steps number of steps in all.
 * @param seconds time limit, from now.
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

/** A budget without limits, for tests and for commands whose input is trusted. */
export const UNLIMITED: Budget = { spend: () => true };
