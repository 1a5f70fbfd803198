/**
 * Remembers how to take back what has been done. Steps are taken back in reverse; one that fails does not keep
 * the others from being tried, because a container that does not start is torn down anyway.
 */
export interface Undo {
  /** Remembers how to take back the step that has just succeeded. */
  add(takeBack: () => void): void;
  /** Remembers what tidies up after a step once all of them have succeeded, and cannot be taken back. */
  onCommit(finish: () => void): void;
  /** Takes everything back. @returns the failures met on the way. */
  rollBack(): unknown[];
  /**
   * Makes everything final. There is no way back once the first thing is gone, so a failure does not keep the others
   * from being tried. @returns the failures met on the way.
   */
  commit(): unknown[];
}

/** An empty journal. */
export function newUndo(): Undo {
  const steps: (() => void)[] = [];
  const finishing: (() => void)[] = [];
  return {
    add: (takeBack) => void steps.push(takeBack),
    onCommit: (finish) => void finishing.push(finish),
    rollBack: () => runBackwards(steps),
    commit: () => runBackwards(finishing),
  };
}

/** Empties a list from its end, running each step once. @returns the failures. */
function runBackwards(steps: (() => void)[]): unknown[] {
  const failures: unknown[] = [];
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    try {
      step();
    } catch (failure) {
      failures.push(failure);
    }
  }
  return failures;
}
