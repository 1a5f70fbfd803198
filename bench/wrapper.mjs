// What the wrapper adds to the runtime that it becomes: a call that it passes through, and the creation of containers
// that ask for the driver and that do not.

import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "./host.mjs";
import { interleave, measure } from "./measure.mjs";

const PROGRAM = "/program";

/** A bundle that runc(8) accepts, with a root file system of its own. Its program only has to be there. */
function makeRunnableBundle(directory, { image, runner }, asks) {
  const rootfs = join(directory, "rootfs");
  mkdirSync(directory, { recursive: true });
  cpSync(image, rootfs, { recursive: true, verbatimSymlinks: true });
  copyFileSync(runner, join(rootfs, PROGRAM));
  for (const name of ["proc", "dev"]) mkdirSync(join(rootfs, name), { recursive: true });
  const config = JSON.stringify({
    ociVersion: "1.0.2",
    process: {
      user: { uid: 0, gid: 0 },
      args: [PROGRAM],
      env: ["PATH=/usr/bin:/bin", ...(asks ? ["NVIDIA_VISIBLE_DEVICES=all"] : [])],
      cwd: "/",
      rlimits: [],
    },
    root: { path: "rootfs" },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] },
    ],
    linux: { namespaces: ["mount", "pid", "ipc", "uts"].map((type) => ({ type })) },
  });
  return { directory, reset: () => writeFileSync(join(directory, "config.json"), config) };
}

/** Creates a container, measured, and removes it. What was created keeps its standard error: it gets none of ours. */
function create(runner, runtime, bundle) {
  const id = `nvoci-bench-${process.pid}`;
  bundle.reset();
  const log = join(bundle.directory, "log");
  rmSync(log, { force: true });
  const argv = [...runtime, "--log", log, "create", "--bundle", bundle.directory, id];
  const { stdout } = spawnSync(runner, argv, { stdio: ["ignore", "pipe", "ignore"], encoding: "utf8" });
  const [ns, kib, status] = stdout.split(" ").map(Number);
  spawnSync("runc", ["delete", "--force", id], { stdio: "ignore" });
  if (status !== 0)
    throw new Error(
      `Cannot measure "${argv.join(" ")}": status ${status}: ${readFileSync(log, "utf8").trim()}`,
    );
  return { ms: ns / 1e6, mb: (kib * 1024) / 1e6 };
}

/** Measures the wrapper against runc: `--version`, and `create` of both kinds of container. */
export async function wrapperCosts({ runner, directory, image, present, rounds }) {
  must("runc", "--version");
  const [idle, asking] = [false, true].map((asks) =>
    makeRunnableBundle(join(directory, `runnable-${asks}`), { image, runner }, asks),
  );
  const wrappers = present.map(({ name, path }) => [name, [path, "runtime"]]);
  const passed = await interleave(
    [["runc", ["runc"]], ...wrappers].map(([name, argv]) => ({
      name: name === "runc" ? "runc --version" : `${name} wrapper, --version`,
      once: () => measure(runner, [...argv, "--version"]),
    })),
    rounds,
  );
  const created = await interleave(
    [
      { name: "runc create", once: () => create(runner, ["runc"], idle) },
      ...wrappers.flatMap(([name, argv]) => [
        { name: `${name} wrapper, not asked`, once: () => create(runner, argv, idle) },
        { name: `${name} wrapper, asks for 50 entries`, once: () => create(runner, argv, asking) },
      ]),
    ],
    rounds,
  );
  return { passed, created };
}
