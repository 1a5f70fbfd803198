/**
 * Remembers how to take back what has been done. Steps are taken back in reverse; one that fails does not keep
 * the others from being tried, because a container that does not start is torn down anyway.
 */
export interface Undo {
  /** Remembers how to take back the step that has just succeeded. */
  add(takeBack: () => void): void;
  /** Remembers what makes a step final once all of them have succeeded. */
  onCommit(finish: () => void): void;
  /** Takes everything back. @returns the failures met on the way. */
  rollBack(): unknown[];
  /**
   * Makes everything final, what came last first: the new library cache is put in place while the rest can still be
   * taken back. The first failure is thrown.
   */
  commit(): void;
}

/** An empty journal. */
export function newUndo(): Undo {
  const steps: (() => void)[] = [];
  const finishing: (() => void)[] = [];
  return {
    add: (takeBack) => void steps.push(takeBack),
    onCommit: (finish) => void finishing.push(finish),
    rollBack() {
      const failures: unknown[] = [];
      for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
        try {
          step();
        } catch (failure) {
          failures.push(failure);
        }
      }
      return failures;
    },
    commit() {
      for (let finish = finishing.pop(); finish !== undefined; finish = finishing.pop()) finish();
    },
  };
}
