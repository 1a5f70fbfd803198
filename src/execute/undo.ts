/**
 * Remembers how to take back what has been done. Steps are taken back in reverse; one that fails does not keep
 * the others from being tried, because a container that does not start is torn down anyway.
 */
export interface Undo {
  /** Remembers how to take back the step that has just succeeded. */
  add(takeBack: () => void): void;
  /** Remembers what tidies up after a step once all of them have succeeded, and cannot be taken back. */
  onCommit(finish: () => void): void;
  /** How many steps are remembered: a point to roll back to. */
  position(): number;
  /** Takes everything back, or what was done since a position. @returns the failures met on the way. */
  rollBack(to?: number): unknown[];
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
    position: () => steps.length,
    rollBack: (to = 0) => runBackwards(steps, to),
    commit: () => runBackwards(finishing, 0),
  };
}

/** Takes steps from a list's end until it is of this length, running each once. @returns the failures. */
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
