/** Measures one run, or rounds of runs. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { compileC } from "../fixtures/run/compile-c.ts";

/** The cost of one run. */
export interface Sample {
  readonly ms: number;
  /** Peak memory. */
  readonly mb: number;
}

/** A thing to measure. */
export interface Subject {
  readonly name: string;
  once(): Sample | Promise<Sample>;
}

/** Samples by the subject's name. */
export type Samples = ReadonlyMap<string, readonly Sample[]>;

/** Compiles a C file of this directory. */
export const compile = (name: string): string => compileC(join(import.meta.dirname, `${name}.c`), ["-O2"]);

/** Runs a command once with run.c. */
export function measure(runner: string, argv: readonly string[], input = ""): Sample {
  const { stdout, stderr } = spawnSync(runner, argv, {
    input,
    encoding: "utf8",
    env: { PATH: process.env.PATH },
  });
  return readSample(stdout, () => `Cannot measure "${argv.join(" ")}": ${stderr.trim()}`);
}

/**
 * Parses the output of run.c.
 *
 * @throws Error with `failure` when the command's status is not 0.
 */
export function readSample(stdout: string, failure: () => string): Sample {
  const [ns = 0, kib = 0, status] = stdout.split(" ").map(Number);
  if (status !== 0) throw new Error(`${failure()} (status ${status})`);
  return { ms: ns / 1e6, mb: (kib * 1024) / 1e6 };
}

/** Measures subjects in turn, round after round. The first round warms up and does not count. */
export async function interleave(subjects: readonly Subject[], rounds: number): Promise<Samples> {
  const samples = new Map<string, Sample[]>(subjects.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const { name, once } of subjects) {
      const sample = await once();
      if (round > 0) samples.get(name)?.push(sample);
    }
  }
  return samples;
}
