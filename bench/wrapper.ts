/**
 * Measures what the wrapper adds to the runtime: to a call that it passes through, and to the creation of
 * containers that request the driver or do not.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Bundle, makeBundle } from "../fixtures/bundle.ts";
import { writeCommand } from "../fixtures/run/container.ts";
import { mustRun } from "../fixtures/run/run-command.ts";
import { interleave, measure, readSample, type Sample, type Samples } from "./measure.ts";

/** What to measure, and how. */
export interface Where {
  /** run.c, compiled. */
  readonly runner: string;
  readonly image: string;
  /** The builds. */
  readonly present: readonly { readonly name: string; readonly path: string }[];
  readonly rounds: number;
}

const PROGRAM = "/program";

/** Makes a bundle with its own root file system that runc(8) accepts. Its program only has to exist. */
function runnableBundle({ image, runner }: Where, asks: boolean): Bundle {
  return makeBundle({
    rootfs(directory) {
      cpSync(image, directory, { recursive: true, verbatimSymlinks: true });
      copyFileSync(runner, join(directory, PROGRAM));
    },
    env: asks ? ["NVIDIA_VISIBLE_DEVICES=all"] : [],
  });
}

/**
 * Measures the creation of a container and removes it. The container keeps standard error open, so it gets
 * /dev/null.
 */
function create(runner: string, runtime: readonly string[], bundle: Bundle): Sample {
  const id = writeCommand(bundle, [PROGRAM]);
  const log = join(bundle.directory, "log");
  rmSync(log, { force: true });
  const argv = [...runtime, "--log", log, "create", "--bundle", bundle.directory, id];
  const { stdout } = spawnSync(runner, argv, { stdio: ["ignore", "pipe", "ignore"], encoding: "utf8" });
  spawnSync("runc", ["delete", "--force", id], { stdio: "ignore" });
  return readSample(stdout, () => `Cannot measure "${argv.join(" ")}": ${readFileSync(log, "utf8").trim()}`);
}

/** Measures the wrapper against runc: `--version`, and `create` of both kinds of container. */
export async function wrapperCosts(where: Where): Promise<{ passed: Samples; created: Samples }> {
  const { runner, present, rounds } = where;
  mustRun(["runc", "--version"]);
  const [idle, asking] = [runnableBundle(where, false), runnableBundle(where, true)];
  const wrappers = present.map(({ name, path }) => ({ name, argv: [path, "runtime"] }));
  const passed = await interleave(
    [
      { name: "runc --version", once: () => measure(runner, ["runc", "--version"]) },
      ...wrappers.map(({ name, argv }) => ({
        name: `${name} wrapper, --version`,
        once: () => measure(runner, [...argv, "--version"]),
      })),
    ],
    rounds,
  );
  const created = await interleave(
    [
      { name: "runc create", once: () => create(runner, ["runc"], idle) },
      ...wrappers.flatMap(({ name, argv }) => [
        { name: `${name} wrapper, not asked`, once: () => create(runner, argv, idle) },
        { name: `${name} wrapper, asks for 50 entries`, once: () => create(runner, argv, asking) },
      ]),
    ],
    rounds,
  );
  for (const bundle of [idle, asking]) bundle.remove();
  return { passed, created };
}
