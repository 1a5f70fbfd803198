import { linkSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { mustRun } from "../fixtures/run/run-command.ts";
import type { Build } from "../test/support/build/builds.ts";
import type { Attack } from "./attack.ts";
import { Random } from "./random.ts";
import { difference, endFaults, measured, openTarget, type Target, usageFaults } from "./target.ts";
import { listVolume, makeParents, makeVolume } from "./volumes.ts";

/** Names that break quoting, splitting and pattern matching. */
const ODD_NAMES = [
  "a b",
  "*",
  "-rf",
  "new\nline",
  "\u001b[2J",
  "é😀",
  "a".repeat(255),
  ".nvoci-1-0",
  "libx.so.1 (deleted)",
];

const ETC = [
  "etc",
  "etc/ld.so.conf",
  "etc/ld.so.conf.d",
  "etc/ld.so.cache",
  "etc/ld.so.cache~",
  "etc/debian_version",
];
const ELSEWHERE = [
  "usr/lib",
  "usr/bin",
  "lib",
  "var/cache",
  "var/cache/ldconfig",
  "tmp",
  "run",
  "opt/image",
  "sbin/ldconfig",
];

/** Targets of links; `$CANARY` is a directory of the host. */
const TEXTS = [
  "$CANARY",
  "$CANARY/lib",
  "$CANARY/secret",
  "../../../../../../../../../..$CANARY",
  "/",
  "..",
  ".",
  "nowhere",
  "itself",
  "/proc/self/root",
  "/proc/1/root/etc",
  "/proc/self/fd/0",
  "/proc/self/exe",
  "/dev/zero",
  "/usr/lib",
  "/etc",
  "",
  "x".repeat(4000),
];

/** Kinds of obstacles for the hook. */
const KINDS = [
  "link",
  "link",
  "link",
  "file",
  "directory",
  "full directory",
  "fifo",
  "device",
  "hard link",
  "nothing",
  "odd name",
  "loop",
];

/**
 * Random images and volumes: links, loops, FIFOs, devices and odd names on the hook's paths. Host and volumes must
 * stay as they are, a hook that fails must undo, and none may take long.
 */
export const images: Attack = {
  name: "images",
  async open(build) {
    const target = await openTarget(build);
    return {
      trial: (seed) => tryImage(build, target, new Random(seed)),
      close: target.close,
    };
  },
};

async function tryImage(build: Build, target: Target, random: Random): Promise<string[]> {
  const { directory, rootfs } = target.makeBundle();
  const { files, links, directories } = target.jetson;
  const entries = [...files, ...links, ...directories].map((path) => path.slice(1));
  const places = [...entries, ...entries.map((path) => dirname(path)), ...ETC, ...ELSEWHERE];
  const texts = TEXTS.map((text) => text.replace("$CANARY", target.canary));
  for (let count = random.amount(20); count > 0; count--) putAt(rootfs, random.pick(places), random, texts);
  const folders = places.filter((path) => isPlainDirectory(rootfs, path));
  const volumes = random.times(random.below(4), (index) =>
    makeVolume(directory, rootfs, index, random, folders, entries),
  );
  const readOnly = random.chance(0.1) ? [`mount -o remount,bind,ro ${rootfs}`] : [];
  const container = await target.openContainer([...volumes.flatMap(({ lines }) => lines), ...readOnly]);
  const list = (): string[] =>
    volumes.flatMap(({ source }) => listVolume(join(`/proc/${container.pid}/root`, source)));
  try {
    const [before, given] = [container.snapshot(), list()];
    const result = measured(container.run, random.pick(target.hooks), join(directory, "usage"));
    const after = container.snapshot();
    return [
      ...endFaults(result),
      ...usageFaults(build, result),
      ...difference("volume", given, list()),
      ...(result.status === 0 ? leftovers(before, after) : difference("undone", before, after)),
      ...target.hostFaults(),
    ];
  } finally {
    container.close();
  }
}

/** Returns the hook's own names that are new. */
const leftovers = (before: readonly string[], after: readonly string[]): string[] =>
  after
    .filter((line) => line.includes("/.nvoci-") && !before.includes(line))
    .map((line) => `left behind: ${line}`);

/** Puts an obstacle at a path. Follows no link, which could lead to the host. */
function putAt(rootfs: string, path: string, random: Random, texts: readonly string[]): void {
  if (!makeParents(rootfs, path)) return;
  const at = join(rootfs, path);
  rmSync(at, { recursive: true, force: true });
  const kind = random.pick(KINDS);
  if (kind === "link") symlinkSync(random.pick(texts) || "empty", at);
  else if (kind === "loop") symlinkSync(path.split("/").at(-1) ?? "", at);
  else if (kind === "file") writeFileSync(at, "of the image", { mode: random.pick([0o644, 0o000, 0o4755]) });
  else if (kind === "directory") mkdirSync(at, { mode: random.pick([0o755, 0o000]) });
  else if (kind === "fifo") mustRun(["mkfifo", at]);
  else if (kind === "device")
    mustRun(["mknod", at, random.pick(["b", "c"]), "1", random.pick(["3", "5", "99"])]);
  else if (kind === "hard link") {
    const linked = join(rootfs, "../linked");
    writeFileSync(linked, "has two names");
    linkSync(linked, at);
  } else if (kind !== "nothing") {
    mkdirSync(at);
    const names =
      kind === "odd name" ? ODD_NAMES : random.times(random.amount(300), (index) => `libmade${index}.so.1`);
    for (const name of names) writeFileSync(join(at, name), "");
  }
}

const isPlainDirectory = (rootfs: string, path: string): boolean =>
  makeParents(rootfs, path) &&
  lstatSync(join(rootfs, path), { throwIfNoEntry: false })?.isDirectory() === true;
