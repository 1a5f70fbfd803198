/**
 * `npm run bench`: measures the program's cost on this machine, against yardsticks measured in the same rounds.
 *
 * Needs root, gcc, runc and a build in dist/. It mounts in a private mount namespace. The status is 0 whether
 * goals are reached or not. BENCH_ROUNDS sets the number of rounds (default 40).
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { cpus, release, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { hookCosts, idleCosts } from "./hooks.ts";
import { configure, layHost, library, makeImage } from "./host.ts";
import { compile, interleave, measure, type Samples } from "./measure.ts";
import { goals, median, number, table, timeTable } from "./report.ts";
import { configureServer, layServer, serverFiles } from "./server.ts";
import { type Where, wrapperCosts } from "./wrapper.ts";

const DIST = join(import.meta.dirname, "../dist");
const MACHINE = process.arch === "arm64" ? "aarch64" : "x86_64";
const NATIVE = join(DIST, `native/nvoci-linux-${MACHINE}`);
const NODE = join(DIST, "node/nvoci");
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 40);
const SIZES = [50, 300, 1000];
const INSIDE = "NVOCI_BENCH_INSIDE";

type WhereWithLoop = Where & { readonly loop: string };

/** All measurements. */
interface Costs {
  readonly starts: Samples;
  readonly unasked: Samples;
  /** The hook by its number of entries. */
  readonly sized: ReadonlyMap<number, Samples>;
  readonly passed: Samples;
  readonly served: Samples;
}

/** Returns the bytes of a file, or of all files in a directory. */
const total = (path: string): number =>
  statSync(path).isDirectory()
    ? readdirSync(path).reduce((sum, name) => sum + total(join(path, name)), 0)
    : statSync(path).size;

const startUps = ({ runner, present }: Where): Promise<Samples> => {
  const subject = (name: string, argv: string[]) => ({ name, once: () => measure(runner, argv) });
  return interleave(
    [
      subject("/bin/true", ["/bin/true"]),
      subject("runc --version", ["runc", "--version"]),
      ...present.map(({ name, path }) => subject(`${name} --version`, [path, "--version"])),
    ],
    ROUNDS * 3,
  );
};

/** Measures the hook on a server. Prints why and returns nothing if that is not possible. */
async function server(where: WhereWithLoop): Promise<Samples> {
  const host = { files: serverFiles, configure: configureServer };
  try {
    layServer();
    // Try once, so that a hook that fails is found before the rounds.
    await hookCosts({ ...where, rounds: 0 }, host);
    return await hookCosts(where, host);
  } catch (error) {
    console.log(`\nCannot measure a server: ${error instanceof Error ? error.message : error}`);
    return new Map();
  }
}

/** Measures everything and prints each part when it is done. */
async function measureAll(where: WhereWithLoop): Promise<Costs> {
  const starts = await startUps(where);
  timeTable("Start-up", starts, "runc --version");
  const unasked = await idleCosts(where);
  timeTable("A container that requests nothing", unasked, "/bin/true");
  const sized = new Map<number, Samples>();
  for (const count of SIZES) {
    const files = Array.from({ length: count }, (_, index) => library(index));
    const samples = await hookCosts(where, { files, configure: (ldconfig) => configure(count, ldconfig) });
    sized.set(count, samples);
    timeTable(`Hook with ${count} entries`, samples, "C loop");
  }
  configure(50, true);
  const { passed, created } = await wrapperCosts(where);
  timeTable("The wrapper passes a call through", passed, "runc --version");
  timeTable("The wrapper creates a container, its hook with ldconfig included", created, "runc create");
  const served = await server(where);
  const servedTitle = `Hook on a server, ${serverFiles.length} libraries and device nodes`;
  if (served.size > 0) timeTable(servedTitle, served, "C loop");
  return { starts, unasked, sized, passed, served };
}

/** Returns the median time; `NaN` when it was not measured. */
const ms = (samples: Samples, name: string): number => median((samples.get(name) ?? []).map((run) => run.ms));

const known = (value: number): number | undefined => (Number.isNaN(value) ? undefined : value);

function summarize({ present }: Where, { starts, unasked, sized, passed, served }: Costs): void {
  const sizes = present.map(({ name, path }) => [
    name,
    number((name === "node" ? total(dirname(path)) : total(path)) / 1e6),
  ]);
  table("Size of the program; node's without Node.js itself", ["", "MB"], sizes);

  const middle: Samples = sized.get(300) ?? new Map();
  const shares = present.map(({ name }) => {
    const [without, whole] = [ms(middle, `${name} hook`), ms(middle, `${name} hook with ldconfig`)];
    return [name, `${number(whole - without)} ms`, `${number((100 * (whole - without)) / whole)} %`];
  });
  table("ldconfig's part of the hook with 300 entries", ["", "time", "share"], shares);

  const ratio = (samples: Samples, name: string, base: string) =>
    known(ms(samples, name) / ms(samples, base));
  const peak = Math.max(...(middle.get("native hook") ?? []).map(({ mb }) => mb));
  goals([
    {
      name: "native start-up",
      value: ratio(starts, "native --version", "runc --version"),
      limit: 0.5,
      unit: "x runc",
    },
    {
      name: "hook, no request",
      value: ratio(unasked, "native hook, no request", "/bin/true"),
      limit: 1.5,
      unit: "x true",
    },
    {
      name: "wrapper, passing through",
      value: ratio(passed, "native wrapper, --version", "runc --version"),
      limit: 1.15,
      unit: "x runc",
    },
    {
      name: "hook, 300 entries",
      value: ratio(middle, "native hook", "C loop"),
      limit: 3,
      unit: "x C loop",
    },
    {
      name: "hook on a server, with ldconfig",
      value: known(ms(served, "native hook with ldconfig")),
      limit: 6,
      unit: "ms",
    },
    { name: "peak memory, 300 entries", value: peak > 0 ? peak : undefined, limit: 4, unit: "MB" },
    {
      name: "native program",
      value: existsSync(NATIVE) ? statSync(NATIVE).size / 1e6 : undefined,
      limit: 2,
      unit: "MB",
    },
  ]);
}

async function bench(directory: string): Promise<void> {
  const present = [
    { name: "native", path: NATIVE },
    { name: "node", path: NODE },
  ].filter(({ path }) => existsSync(path));
  if (present.length === 0) throw new Error(`Cannot measure "${DIST}": it has no build; run "npm run build"`);
  const image = join(directory, "image");
  makeImage(image);
  const where = { runner: compile("run"), loop: compile("mounts"), image, present, rounds: ROUNDS };
  const host = layHost(Math.max(...SIZES));
  console.log(
    `${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores, Linux ${release()}, ${ROUNDS} rounds`,
  );
  try {
    summarize(where, await measureAll(where));
  } finally {
    host.remove();
  }
}

/** Runs this file again in a private mount namespace. */
function enterNamespace(): void {
  const directory = mkdtempSync(join(tmpdir(), "nvoci-bench-"));
  const run = join(import.meta.dirname, "../build/run-typescript.mjs");
  const argv = ["--mount", "--propagation", "private", "--", process.execPath, run, import.meta.filename];
  const { status } = spawnSync("/usr/bin/unshare", argv, {
    stdio: "inherit",
    env: { ...process.env, [INSIDE]: directory },
  });
  rmSync(directory, { recursive: true, force: true });
  process.exitCode = status ?? 1;
}

const inside = process.env[INSIDE];
if (inside === undefined) enterNamespace();
else
  await bench(inside).catch((error: unknown) => {
    console.error(`bench: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  });
