import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "./random.ts";

/** A directory of the user that is mounted in a container. */
interface Volume {
  /** Its path on the host. */
  readonly source: string;
  /** Shell lines that mount it into the container. */
  readonly lines: readonly string[];
}

/**
 * Makes the directories above a path.
 *
 * @returns whether all of them are directories.
 */
export function makeParents(rootfs: string, path: string): boolean {
  let at = rootfs;
  for (const name of path.split("/").slice(0, -1)) {
    at = join(at, name);
    const found = lstatSync(at, { throwIfNoEntry: false });
    if (found === undefined) mkdirSync(at);
    else if (!found.isDirectory()) return false;
  }
  return true;
}

/** Makes a volume with files where the hook would put the driver's. */
export function makeVolume(
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
  // Mount a tmpfs with the directory's content; a small one is full.
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

/** Lists everything in a volume with its inode, to detect files replaced by equal ones. */
export function listVolume(source: string, path = ""): string[] {
  const at = join(source, path);
  const { ino, mode, size, mtimeMs, uid, gid } = lstatSync(at);
  const isDirectory = lstatSync(at).isDirectory();
  const content = lstatSync(at).isFile() && size < 4096 ? readFileSync(at, "latin1") : "";
  const line = `${source}/${path} ${ino} ${mode} ${size} ${mtimeMs} ${uid}:${gid} ${content}`;
  return [
    line,
    ...(isDirectory ? readdirSync(at).flatMap((name) => listVolume(source, join(path, name))) : []),
  ];
}
