// One measured run, and rounds of them.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { must } from "./host.mjs";

/** Compiles one of our C files into a directory. */
export function compile(directory, name) {
  const program = join(directory, name);
  must("gcc", "-O2", "-static", "-Wall", "-o", program, join(import.meta.dirname, `${name}.c`));
  return program;
}

/** Runs a command once through run.c: `{ ms, mb }`. */
export function measure(runner, argv, input = "") {
  const { stdout, stderr } = spawnSync(runner, argv, {
    input,
    encoding: "utf8",
    env: { PATH: process.env.PATH },
  });
  const [ns, kib, status] = stdout.split(" ").map(Number);
  if (status !== 0) throw new Error(`Cannot measure "${argv.join(" ")}": status ${status}: ${stderr.trim()}`);
  return { ms: ns / 1e6, mb: (kib * 1024) / 1e6 };
}

/** Measures subjects in turn, round after round; the first round only warms up. */
export async function interleave(subjects, rounds) {
  const samples = new Map(subjects.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const { name, once } of subjects) {
      const sample = await once();
      if (round > 0) samples.get(name).push(sample);
    }
  }
  return samples;
}
