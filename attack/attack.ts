import type { Build } from "../test/support/build/builds.ts";

/** One way to attack the built program. */
export interface Attack {
  readonly name: string;
  /** Prepares the hosts and images that all trials share. */
  open(build: Build): Promise<Session>;
}

/** An attack under way. */
interface Session {
  /**
   * One trial. What it tries depends on the seed alone; trials do not see each other.
   *
   * @returns what went wrong, a line each; nothing when the program held.
   */
  trial(seed: number): readonly string[] | Promise<readonly string[]>;
  /** How many different trials there are, where that is known: seeds that differ by less try different things. */
  readonly count?: number;
  close(): void;
}

/** What came of an attack. */
interface Outcome {
  readonly name: string;
  /** Trials made. */
  readonly trials: number;
  /** Seed of the first trial, or of the one that failed: alone it repeats the failure. */
  readonly seed: number;
  /** Empty when the program held. */
  readonly faults: readonly string[];
}

/**
 * Runs trials with `seed`, `seed + 1` and so on until the time is over, all of them are made, or one fails.
 *
 * @param time milliseconds. One trial is made in any case.
 */
export async function runAttack(attack: Attack, build: Build, seed: number, time: number): Promise<Outcome> {
  const { name } = attack;
  const session = await attack.open(build);
  const end = Date.now() + time;
  try {
    let trials = 0;
    do {
      const faults = await session.trial(seed + trials);
      trials++;
      if (faults.length > 0) return { name, trials, seed: seed + trials - 1, faults };
    } while (Date.now() < end && trials < (session.count ?? Number.POSITIVE_INFINITY));
    return { name, trials, seed, faults: [] };
  } finally {
    session.close();
  }
}

/** The command that repeats an outcome's last trial first. */
export const repeating = (build: Build, { name, seed }: Outcome): string =>
  `npm run attack -- --build ${build.name} --only ${name} --seed ${seed}`;
