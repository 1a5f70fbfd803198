import { linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Build } from "../test/support/builds.ts";
import { mustRun } from "../test/support/run-command.ts";
import type { Attack } from "./attack.ts";
import { Random } from "./random.ts";
import { difference, endFaults, measured, openTarget, type Target, usageFaults } from "./target.ts";

/** Names that nobody expects: what quoting, splitting and pattern matching stumble over. */
const ODD_NAMES = ["a b", "*", "-rf", "new\nline", "\u001b[2J", "é😀", "a".repeat(255), ".nvoci-1-0", "libx.so.1 (deleted)"];

const ETC = ["etc", "etc/ld.so.conf", "etc/ld.so.conf.d", "etc/ld.so.cache", "etc/ld.so.cache~", "etc/debian_version"];
const ELSEWHERE = ["usr/lib", "usr/bin", "lib", "var/cache", "var/cache/ldconfig", "tmp", "run", "opt/image", "sbin/ldconfig"];

/** Where a link can lead; `$CANARY` is a directory of the host. */
const TEXTS = ["$CANARY", "$CANARY/lib", "$CANARY/secret", "../../../../../../../../../..$CANARY", "/", "..", ".", "nowhere", "itself",
  "/proc/self/root", "/proc/1/root/etc", "/proc/self/fd/0", "/proc/self/exe", "/dev/zero", "/usr/lib", "/etc", "", "x".repeat(4000)];

/** What lies in the way of the hook. */
const KINDS = ["link", "link", "link", "file", "directory", "full directory", "fifo", "device", "hard link", "nothing", "odd name", "loop"];

interface Volume {
  /** Below the bundle; mounted at a path of the root. */
  readonly source: string;
  readonly lines: readonly string[];
}

/**
 * Images and volumes at random: links, loops, FIFOs, devices and odd names on the paths that the hook goes. The host must
 * stay as it is, so must volumes, a hook that fails must undo, and none may take long.
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
  const volumes = random.times(random.below(4), (index) => makeVolume(directory, rootfs, index, random, folders, entries));
  const readOnly = random.chance(0.1) ? [`mount -o remount,bind,ro ${rootfs}`] : [];
  const container = await target.openContainer([...volumes.flatMap(({ lines }) => lines), ...readOnly]);
  const list = (): string[] => volumes.flatMap(({ source }) => listVolume(join(`/proc/${container.pid}/root`, source)));
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

/** Names of the hook's own that were not there before. */
const leftovers = (before: readonly string[], after: readonly string[]): string[] =>
  after.filter((line) => line.includes("/.nvoci-") && !before.includes(line)).map((line) => `left behind: ${line}`);

/** Puts something at a path. Nothing is made through a link: it could lead to the host. */
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
  else if (kind === "device") mustRun(["mknod", at, random.pick(["b", "c"]), "1", random.pick(["3", "5", "99"])]);
  else if (kind === "hard link") {
    const linked = join(rootfs, "../linked");
    writeFileSync(linked, "has two names");
    linkSync(linked, at);
  } else if (kind !== "nothing") {
    mkdirSync(at);
    const names = kind === "odd name" ? ODD_NAMES : random.times(random.amount(300), (index) => `libmade${index}.so.1`);
    for (const name of names) writeFileSync(join(at, name), "");
  }
}

/** Makes the directories above a path. @returns whether all of them are directories. */
function makeParents(rootfs: string, path: string): boolean {
  let at = rootfs;
  for (const name of path.split("/").slice(0, -1)) {
    at = join(at, name);
    const found = lstatSync(at, { throwIfNoEntry: false });
    if (found === undefined) mkdirSync(at);
    else if (!found.isDirectory()) return false;
  }
  return true;
}

const isPlainDirectory = (rootfs: string, path: string): boolean =>
  makeParents(rootfs, path) && lstatSync(join(rootfs, path), { throwIfNoEntry: false })?.isDirectory() === true;

/** A volume of the user, with files where the hook would put the driver's. */
function makeVolume(
  directory: string,
  rootfs: string,
  index: number,
  random: Random,
  folders: readonly string[],
  entries: readonly string[],
): Volume {
  const source = join(directory, `volume-${index}`);
  mkdirSync(source);
  if (folders.length === 0) return { source, lines: [] };
  const folder = random.pick(folders);
  for (const entry of [...entries, "etc/ld.so.cache"]) {
    if (!entry.startsWith(`${folder}/`) || random.chance(0.5)) continue;
    const at = join(source, entry.slice(folder.length + 1));
    const isThere = lstatSync(at, { throwIfNoEntry: false }) !== undefined;
    if (isThere || !makeParents(source, entry.slice(folder.length + 1))) continue;
    if (random.chance(0.4)) symlinkSync("of-the-user", at);
    else if (random.chance(0.2)) mkdirSync(at);
    else writeFileSync(at, "of the user");
  }
  // A tmpfs is made inside and filled with what the directory has; a small one is full.
  const size = random.pick(["64k", "4m"]);
  const isMemory = random.chance(0.4);
  const memory = [
    `cp -a ${source} ${source}.content`,
    `mount -t tmpfs -o size=${size} tmpfs ${source}`,
    `cp -a ${source}.content/. ${source} 2>/dev/null || true`,
    ...(random.chance(0.5) ? [`head -c 8m /dev/zero >${source}/filler 2>/dev/null || true`] : []),
  ];
  const readOnly = random.chance(0.3) ? ` && mount -o remount,bind,ro ${join(rootfs, folder)}` : "";
  // Another volume can hide the folder.
  const bind = `mount --bind ${source} ${join(rootfs, folder)} 2>/dev/null${readOnly} || true`;
  return { source, lines: [...(isMemory ? memory : []), bind] };
}

/** Everything in a volume with its inode: what is replaced by its like shows too. */
function listVolume(source: string, path = ""): string[] {
  const at = join(source, path);
  const { ino, mode, size, mtimeMs, uid, gid } = lstatSync(at);
  const isDirectory = lstatSync(at).isDirectory();
  const content = lstatSync(at).isFile() && size < 4096 ? readFileSync(at, "latin1") : "";
  const line = `${source}/${path} ${ino} ${mode} ${size} ${mtimeMs} ${uid}:${gid} ${content}`;
  return [line, ...(isDirectory ? readdirSync(at).flatMap((name) => listVolume(source, join(path, name))) : [])];
}
