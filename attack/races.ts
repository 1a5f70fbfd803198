import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { compileC } from "../fixtures/run/compile-c.ts";
import { snapshotMounts } from "../test/support/host/snapshot.ts";
import type { Attack } from "./attack.ts";
import { Random } from "./random.ts";
import { endFaults, openTarget, type Target } from "./target.ts";

const LIBRARIES = "usr/lib/aarch64-linux-gnu";
const CLIMB = "../../../../../../../../..";
/** Milliseconds of one trial; about ten hooks. */
const TIME = 700;
/** The number of neighbors. With one per processor the hook hardly runs. */
const RACERS = 2;

/** Directories and the links that replace them; `$CANARY` is a directory of the host. */
const SWAPS: readonly (readonly [path: string, text: string])[] = [
  [LIBRARIES, "$CANARY"],
  [`${LIBRARIES}/nvidia`, `${CLIMB}$CANARY/lib`],
  [`${LIBRARIES}/tegra`, CLIMB],
  ["usr/lib", "$CANARY/usr/lib"],
  ["etc", "$CANARY/etc"],
  ["etc/ld.so.conf.d", "/proc/self/root"],
  ["usr/lib/firmware", "firmware"],
];

/**
 * Neighbors change the container's root while hooks work in it. They swap directories for links that lead out, and
 * put links, directories and files on the names that the hook writes and on its temporary names.
 */
export const races: Attack = {
  name: "races",
  async open(build) {
    const target = await openTarget(build);
    const racer = compileC(join(import.meta.dirname, "racer.c"));
    return {
      trial: (seed) => race(target, racer, new Random(seed)),
      close: target.close,
    };
  },
};

async function race(target: Target, racer: string, random: Random): Promise<string[]> {
  const { rootfs } = target.makeBundle();
  const swaps = SWAPS.filter(() => random.chance(0.5));
  const pairs = swaps.map(([path, text], index) => {
    const link = `swapped-${index}`;
    mkdirSync(join(rootfs, path), { recursive: true });
    symlinkSync(text.replace("$CANARY", target.canary), join(rootfs, link));
    return [path, link] as const;
  });
  const entries = [...target.jetson.files, ...target.jetson.links, "/etc/ld.so.cache", "/etc/ld.so.cache~"];
  for (const entry of entries) mkdirSync(join(rootfs, dirname(entry)), { recursive: true });
  const hook = random.pick(target.hooks);

  const racers = random.times(RACERS, () => {
    const options = [rootfs, `${random.below(2 ** 31)}`, `${TIME}`, `${pairs.length}`];
    return spawn(racer, [...options, ...pairs.flat(), ...entries], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  });
  const closed = racers.map((child) => once(child, "close"));
  const end = Date.now() + TIME;
  const faults: string[] = [];
  while (Date.now() < end) faults.push(...(await startOnce(target, rootfs, hook)));
  for (const ending of closed) {
    const [status] = (await ending) as [number | null];
    if (status !== 0) faults.push(`the racer failed: status ${status}`);
  }
  return [...faults, ...target.hostFaults()];
}

/** Runs one hook in its own container. Nothing may be mounted outside the root. */
async function startOnce(target: Target, rootfs: string, hook: readonly string[]): Promise<string[]> {
  const before = snapshotMounts(target.jetson.place.pid);
  let container: Awaited<ReturnType<Target["openContainer"]>>;
  try {
    container = await target.openContainer();
  } catch {
    // The neighbors took directories that the runtime mounts on, so there is no container.
    return [];
  }
  try {
    const faults = endFaults(container.run(hook));
    const outside = snapshotMounts(container.pid).filter(
      (line) => !before.includes(line) && !line.startsWith(rootfs),
    );
    return [...faults, ...outside.map((line) => `mounted outside the root: ${line}`)];
  } finally {
    container.close();
  }
}
