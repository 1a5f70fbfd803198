/** One measured run, and rounds of them. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { compileC } from "../fixtures/run/compile-c.ts";

/** What a run cost. */
export interface Sample {
  readonly ms: number;
  /** Peak memory. */
  readonly mb: number;
}

/** Something that is measured again and again. */
export interface Subject {
  readonly name: string;
  once(): Sample | Promise<Sample>;
}

/** By the subject's name. */
export type Samples = ReadonlyMap<string, readonly Sample[]>;

/** Compiles one of our C files. */
export const compile = (name: string): string => compileC(join(import.meta.dirname, `${name}.c`), ["-O2"]);

/** Runs a command once through run.c. */
export function measure(runner: string, argv: readonly string[], input = ""): Sample {
  const { stdout, stderr } = spawnSync(runner, argv, {
    input,
    encoding: "utf8",
    env: { PATH: process.env.PATH },
  });
  return readSample(stdout, () => `Cannot measure "${argv.join(" ")}": ${stderr.trim()}`);
}

/**
 * Reads what run.c printed.
 *
 * @throws Error with `failure` when the command's status was not 0.
 */
export function readSample(stdout: string, failure: () => string): Sample {
  const [ns = 0, kib = 0, status] = stdout.split(" ").map(Number);
  if (status !== 0) throw new Error(`${failure()} (status ${status})`);
  return { ms: ns / 1e6, mb: (kib * 1024) / 1e6 };
}

/** Measures subjects in turn, round after round; the first round only warms up. */
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
