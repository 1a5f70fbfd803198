import type { Build } from "../test/support/build/builds.ts";

/** One way to attack the built program. */
export interface Attack {
  readonly name: string;
  /** Prepares the hosts and images that the trials share. */
  open(build: Build): Promise<Session>;
}

/** An open attack. */
interface Session {
  /**
   * Makes one trial, which depends only on the seed.
   *
   * @returns one line per fault; none when the program withstood.
   */
  trial(seed: number): readonly string[] | Promise<readonly string[]>;
  /** The number of different trials, if known: seeds that differ by less make different trials. */
  readonly count?: number;
  close(): void;
}

/** The result of an attack. */
interface Outcome {
  readonly name: string;
  /** The number of trials made. */
  readonly trials: number;
  /** The seed of the first trial, or of the failed one, which it repeats. */
  readonly seed: number;
  /** Empty when the program withstood. */
  readonly faults: readonly string[];
}

/**
 * Runs trials with `seed`, `seed + 1` and so on until the time is over, all are made, or one fails. Runs at least
 * one.
 *
 * @param time in milliseconds.
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

/** Returns the command that starts with an outcome's last trial. */
export const repeating = (build: Build, { name, seed }: Outcome): string =>
  `npm run attack -- --build ${build.name} --only ${name} --seed ${seed}`;
