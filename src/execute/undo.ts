/**
 * An undo list: records how to undo completed steps. Steps are undone in reverse. A failure does not stop the
 * rest, because a container that does not start is torn down anyway.
 */
export interface Undo {
  /** Adds the way to undo the step that has just succeeded. */
  add(takeBack: () => void): void;
  /** Adds an irreversible clean-up, run after everything succeeded. */
  onCommit(finish: () => void): void;
  /** Returns the number of recorded steps: a position to roll back to. */
  position(): number;
  /** Undoes everything, or every step since a position. @returns the failures. */
  rollBack(to?: number): unknown[];
  /**
   * Runs the clean-ups. Nothing can be undone after the first one, so a failure does not stop the rest.
   *
   * @returns the failures.
   */
  commit(): unknown[];
}

/** Returns an empty undo list. */
export function newUndo(): Undo {
  const steps: (() => void)[] = [];
  const finishing: (() => void)[] = [];
  return {
    add: (takeBack) => void steps.push(takeBack),
    onCommit: (finish) => void finishing.push(finish),
    position: () => steps.length,
    rollBack: (to = 0) => runBackwards(steps, to),
    commit: () => runBackwards(finishing, 0),
  };
}

/** Pops and runs steps until the list has this length. @returns the failures. */
function runBackwards(steps: (() => void)[], length: number): unknown[] {
  const failures: unknown[] = [];
  while (steps.length > length) {
    try {
      steps.pop()?.();
    } catch (failure) {
      failures.push(failure);
    }
  }
  return failures;
}
