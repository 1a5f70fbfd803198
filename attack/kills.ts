import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { mustRun, runCommand } from "../fixtures/run/run-command.ts";
import { syscallNumbers } from "../src/sys/syscall-numbers.ts";
import { snapshotTree } from "../test/support/host/snapshot.ts";
import { putThingsInTheWay } from "../test/support/host/things-in-the-way.ts";
import { nodeEngine } from "../test/support/kernel/node-engine.ts";
import type { Attack } from "./attack.ts";
import { choiceOf, type Point, recordPoints, tampered } from "./points.ts";
import { difference, endFaults, openTarget, type Target } from "./target.ts";

const PR_SET_CHILD_SUBREAPER = 36;
/** Milliseconds that the children of a killed hook may take to end. */
const ORPHANS_END = 10_000;
const KILLED = 137;

/** A point in a run of one of the target's hooks. */
interface Moment {
  readonly hook: readonly string[];
  readonly point: Point;
}

/**
 * SIGKILL at each system call of the hook, as from the OOM killer or a power loss. Nothing of the image may be
 * lost, the next start must succeed, and it must leave only what a start without a kill leaves.
 */
export const kills: Attack = {
  name: "kills",
  async open(build) {
    const target = await openTarget(build, putThingsInTheWay);
    adoptOrphans();
    const log = join(target.canary, "../strace");
    const finished: (readonly string[])[] = [];
    const again: (readonly string[])[] = [];
    const moments: Moment[] = [];
    for (const hook of target.hooks) {
      const { rootfs } = target.makeBundle();
      const container = await target.openContainer();
      for (const point of recordPoints(container.run, hook, log)) moments.push({ hook, point });
      container.close();
      finished.push(snapshotTree(rootfs));
      await startAgain(target, hook);
      again.push(snapshotTree(rootfs));
    }
    const cleans = /^ +nvoci clean /m.test(mustRun([build.path, "--help"]))
      ? [build.path, "clean"]
      : undefined;
    return {
      count: moments.length,
      async trial(seed) {
        const { hook, point } = choiceOf(moments, seed);
        const index = target.hooks.indexOf(hook);
        const expected = { finished: finished[index] ?? [], again: again[index] ?? [] };
        const faults = await killAt(target, hook, point, log, expected, cleans);
        return faults.map((fault) => `killed at ${point.call} ${point.when}: ${fault}`);
      },
      close: target.close,
    };
  },
};

async function killAt(
  target: Target,
  hook: readonly string[],
  point: Point,
  log: string,
  expected: { readonly finished: readonly string[]; readonly again: readonly string[] },
  clean: readonly string[] | undefined,
): Promise<string[]> {
  const { rootfs, directory } = target.makeBundle();
  const image = snapshotTree(rootfs);
  const known = children();
  const container = await target.openContainer();
  const result = container.run(tampered(point, "signal=KILL", hook, log));
  container.close();
  // The hook survives the kill of a child, unless it makes the same call while undoing.
  const faults = [...(result.status === KILLED ? [] : endFaults(result)), ...(await orphans(known))];
  const now = snapshotTree(rootfs);
  // A completed start removes what the image had in the way, even if only ldconfig was killed.
  const isDone =
    result.status === 0 ||
    difference(
      "",
      expected.finished,
      now.filter((line) => !line.includes("/.nvoci-")),
    ).length === 0;
  if (!isDone) faults.push(...lost(image, now));
  if (!existsSync(join(rootfs, "etc/ld.so.cache"))) faults.push("/etc/ld.so.cache is missing");
  if (clean !== undefined) {
    const copy = join(directory, "cleaned");
    mustRun(["cp", "-a", rootfs, copy]);
    const { status, stderr } = runCommand([...clean, copy]);
    if (status !== 0) faults.push(`clean ends with ${status}: ${stderr}`);
    const cleaned = snapshotTree(copy);
    faults.push(...cleaned.filter((line) => line.includes(".nvoci-")).map((line) => `clean left ${line}`));
  }
  faults.push(...(await startAgain(target, hook)));
  faults.push(...difference("after the next start", expected.again, snapshotTree(rootfs)));
  return [...faults, ...target.hostFaults()];
}

/** Starts a container of the same bundle and returns how that failed. */
async function startAgain(target: Target, hook: readonly string[]): Promise<string[]> {
  const container = await target.openContainer();
  try {
    const { status, stderr } = container.run(hook);
    return status === 0 && stderr === "" ? [] : [`the next start ends with ${status}: ${stderr}`];
  } finally {
    container.close();
  }
}

/** Returns the image's files and links that are neither in place nor set aside. */
function lost(image: readonly string[], now: readonly string[]): string[] {
  const split = (line: string): [string, string] => {
    const at = line.search(/ (?:file|link) /);
    return at === -1 ? ["", ""] : [line.slice(0, at), line.slice(at)];
  };
  const there = new Set(
    now
      .map((line) => split(line))
      .map(([path, what]) => `${dirname(path).replace(/\/\.nvoci-[^/]*$/, "")} ${what}`),
  );
  return image
    .filter((line) => {
      const [path, what] = split(line);
      // A new cache replaces the old one.
      return path !== "" && path !== "/etc/ld.so.cache" && !there.has(`${dirname(path)} ${what}`);
    })
    .map((line) => `lost: ${line}`);
}

/** Makes this process the parent of its orphaned descendants. */
function adoptOrphans(): void {
  const { prctl } = syscallNumbers(process.arch === "arm64" ? "arm64" : "x64");
  nodeEngine().syscall(prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/** Returns the running children of this process. */
function children(): string[] {
  return readdirSync("/proc/self/task")
    .flatMap((thread) => readFileSync(`/proc/self/task/${thread}/children`, "utf8").split(" "))
    .filter((pid) => pid !== "" && !hasEnded(pid));
}

function hasEnded(pid: string): boolean {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return true;
  }
}

/** Waits for the children of a killed hook and returns those that stay. */
async function orphans(known: readonly string[]): Promise<string[]> {
  const end = Date.now() + ORPHANS_END;
  for (;;) {
    const left = children().filter((pid) => !known.includes(pid));
    if (left.length === 0) return [];
    if (Date.now() > end) return left.map((pid) => `process ${pid} is left`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
