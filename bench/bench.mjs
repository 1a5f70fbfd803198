// `npm run bench`: what the program costs on this machine, against yardsticks measured in the same rounds.
//
// Needs root, gcc and runc, and a build in dist/. Everything is mounted in a private mount namespace. The status is 0
// whether goals are reached or not. BENCH_ROUNDS sets the number of rounds (default 40).

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { cpus, release, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { makeBundle, openContainer } from "./container.mjs";
import { configure, library, makeHost, makeImage } from "./host.mjs";
import { compile, interleave, measure } from "./measure.mjs";
import { goals, median, number, table, timeTable } from "./report.mjs";
import { configureServer, makeServer, serverFiles } from "./server.mjs";
import { wrapperCosts } from "./wrapper.mjs";

const DIST = join(import.meta.dirname, "../dist");
const MACHINE = process.arch === "arm64" ? "aarch64" : "x86_64";
const NATIVE = join(DIST, `native/nvoci-linux-${MACHINE}`);
const NODE = join(DIST, "node/nvoci");
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 40);
const SIZES = [50, 300, 1000];
const INSIDE = "NVOCI_BENCH_INSIDE";

/** Bytes of a file, or of the files in a directory. */
const total = (path) =>
  statSync(path).isDirectory()
    ? readdirSync(path).reduce((sum, name) => sum + total(join(path, name)), 0)
    : statSync(path).size;

const startUps = (runner, present) =>
  interleave(
    [
      ["/bin/true", ["/bin/true"]],
      ["runc --version", ["runc", "--version"]],
      ...present.map(({ name, path }) => [`${name} --version`, [path, "--version"]]),
    ].map(([name, argv]) => ({ name, once: () => measure(runner, argv) })),
    ROUNDS * 3,
  );

/** A subject that gets a fresh container in each round and has to leave `expected` mounts in it. */
function inContainer(name, bundle, image, expected, command, prepare) {
  const once = async () => {
    prepare();
    const container = await openContainer(bundle, image);
    try {
      const sample = command(container);
      if (container.mounts() < expected) throw new Error(`"${name}" made ${container.mounts()} mounts`);
      return sample;
    } finally {
      await container.close();
    }
  };
  return { name, once };
}

/**
 * The hook of each build without and with ldconfig, beside a C loop that binds the same files.
 *
 * @param files what the container gets at least
 * @param configure takes whether ldconfig is to run
 */
function hooks({ runner, loop, directory, image, present, rounds = ROUNDS }, files, configure) {
  const bundle = makeBundle(join(directory, "asks"), true);
  const list = files.map((file) => `${file}\n`).join("");
  const hook = (name, path, ldconfig) => {
    const command = ({ state }) => measure(runner, [path, "hook", "prestart"], state);
    return inContainer(name, bundle, image, files.length, command, () => configure(ldconfig));
  };
  const cLoop = ({ pid }) => measure(runner, [loop, `${pid}`, bundle.rootfs], list);
  const subjects = [
    inContainer("C loop", bundle, image, files.length, cLoop, () => {}),
    ...present.map(({ name, path }) => hook(`${name} hook`, path, false)),
    ...present.map(({ name, path }) => hook(`${name} hook with ldconfig`, path, true)),
  ];
  return interleave(subjects, rounds);
}

/** The same on a server; nothing where it cannot be measured, which is said. */
async function server(where) {
  try {
    makeServer(where.directory);
    // Once, so that a hook that cannot do it is found out before the rounds.
    await hooks({ ...where, rounds: 0 }, serverFiles, configureServer);
    return await hooks(where, serverFiles, configureServer);
  } catch (error) {
    console.log(`\nA server: not measured: ${error.message}`);
    return new Map();
  }
}

function idle(runner, directory, image, present) {
  const bundle = makeBundle(join(directory, "idle"), false);
  const subjects = present.map(({ name, path }) => {
    const command = ({ state }) => measure(runner, [path, "hook", "prestart"], state);
    return inContainer(`${name} hook, not asked`, bundle, image, 0, command, () => {});
  });
  return interleave([{ name: "/bin/true", once: () => measure(runner, ["/bin/true"]) }, ...subjects], ROUNDS);
}

async function bench(directory) {
  const present = [
    { name: "native", path: NATIVE },
    { name: "node", path: NODE },
  ].filter(({ path }) => existsSync(path));
  if (present.length === 0)
    throw new Error(`Cannot measure "${DIST}": there is no build in it; npm run build`);
  const runner = compile(directory, "run");
  const loop = compile(directory, "mounts");
  const image = join(directory, "image");
  mkdirSync(image);
  makeImage(image);
  makeHost(directory, Math.max(...SIZES));
  console.log(
    `${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores, Linux ${release()}, ${ROUNDS} rounds`,
  );

  const starts = await startUps(runner, present);
  timeTable("Start-up", starts, "runc --version");
  const unasked = await idle(runner, directory, image, present);
  timeTable("A container that does not ask", unasked, "/bin/true");
  const sized = new Map();
  const where = { runner, loop, directory, image, present };
  for (const count of SIZES) {
    const files = Array.from({ length: count }, (_, index) => library(index));
    sized.set(count, await hooks(where, files, (ldconfig) => configure(count, ldconfig)));
    timeTable(`Hook with ${count} entries`, sized.get(count), "C loop");
  }
  configure(50, true);
  const { passed, created } = await wrapperCosts({ ...where, rounds: ROUNDS });
  timeTable("The wrapper passes a call through", passed, "runc --version");
  timeTable("The wrapper creates a container, its hook with ldconfig included", created, "runc create");
  const served = await server(where);
  const servedTitle = `Hook on a server, ${serverFiles.length} libraries and device nodes`;
  if (served.size > 0) timeTable(servedTitle, served, "C loop");
  const sizes = present.map(({ name, path }) => [
    name,
    number((name === "node" ? total(dirname(path)) : total(path)) / 1e6),
  ]);
  table("Size of the program; node's without Node.js itself", ["", "MB"], sizes);

  const ms = (samples, name) =>
    samples.has(name) ? median(samples.get(name).map((run) => run.ms)) : Number.NaN;
  const ratio = (samples, name, base) => {
    const value = ms(samples, name) / ms(samples, base);
    return Number.isNaN(value) ? undefined : value;
  };
  const native = existsSync(NATIVE);
  const shares = present.map(({ name }) => {
    const [without, whole] = [`${name} hook`, `${name} hook with ldconfig`].map((key) =>
      ms(sized.get(300), key),
    );
    return [name, `${number(whole - without)} ms`, `${number((100 * (whole - without)) / whole)} %`];
  });
  table("ldconfig's part of the hook with 300 entries", ["", "time", "share"], shares);
  const peak = () =>
    Math.max(
      ...sized
        .get(300)
        .get("native hook")
        .map(({ mb }) => mb),
    );
  goals([
    {
      name: "native start-up",
      value: ratio(starts, "native --version", "runc --version"),
      limit: 0.5,
      unit: "x runc",
    },
    {
      name: "hook, not asked",
      value: ratio(unasked, "native hook, not asked", "/bin/true"),
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
      value: ratio(sized.get(300), "native hook", "C loop"),
      limit: 3,
      unit: "x C loop",
    },
    {
      name: "hook on a server, with ldconfig",
      value: served.has("native hook with ldconfig") ? ms(served, "native hook with ldconfig") : undefined,
      limit: 6,
      unit: "ms",
    },
    { name: "peak memory, 300 entries", value: native ? peak() : undefined, limit: 6, unit: "MB" },
    { name: "native program", value: native ? statSync(NATIVE).size / 1e6 : undefined, limit: 2, unit: "MB" },
  ]);
}

if (process.env[INSIDE] === undefined) {
  const directory = mkdtempSync(join(tmpdir(), "nvoci-bench-"));
  const argv = ["--mount", "--propagation", "private", "--", process.execPath, import.meta.filename];
  const inside = spawnSync("/usr/bin/unshare", argv, {
    stdio: "inherit",
    env: { ...process.env, [INSIDE]: directory },
  });
  rmSync(directory, { recursive: true, force: true });
  process.exitCode = inside.status ?? 1;
} else {
  try {
    await bench(process.env[INSIDE]);
  } catch (error) {
    console.error(`bench: ${error.message}`);
    process.exitCode = 1;
  }
}
