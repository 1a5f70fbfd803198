import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fetchFromPool } from "./debian-pool.ts";
import { root } from "./root.ts";
import { BuildError, isRunnable, run } from "./run.ts";

const cache = join(root, ".cache");

/** Sources of the native program cannot be had here; the Node.js build still can. */
export class NoSources extends BuildError {}

interface Lock {
  readonly title: string;
  readonly version: string;
  readonly sha256: string;
  readonly licence: string;
  /** The file's name. */
  readonly tarball: string;
  /** The path in a Debian pool. */
  readonly debianPool: string;
  /** The environment variable that names a file to use instead. */
  readonly given: string;
}

type SourceName = "quickjs" | "musl";

/** What the native program is made of besides our own files. */
export const SOURCES: Readonly<Record<SourceName, Lock>> = JSON.parse(
  readFileSync(join(root, "packaging/native/sources.lock.json"), "utf8"),
);

const sha256 = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

/**
 * Pinned sources, unpacked below .cache/. The tarball is looked for where its variable says, then in .cache/, then in
 * the Debian pool of the mirrors that apt is configured with.
 *
 * @returns the directory of the sources
 * @throws NoSources when there is no tarball, or nothing to unpack it
 * @throws BuildError when it is another one
 */
export function pinnedSource(name: SourceName): string {
  const lock = SOURCES[name];
  const directory = join(cache, `${name}-${lock.version}-${lock.sha256.slice(0, 12)}`, "source");
  if (existsSync(directory)) return directory;
  const tarball = findTarball(lock);
  if (tarball.endsWith(".xz") && !isRunnable("xz"))
    throw new NoSources(`Cannot unpack "${tarball}": no "xz" (Debian package xz-utils)`);
  // Unpacked beside, then moved: an interrupted build leaves nothing that looks finished.
  const unpacked = `${directory}.${process.pid}`;
  mkdirSync(unpacked, { recursive: true });
  run("tar", ["-xf", tarball, "-C", unpacked, "--strip-components=1"]);
  try {
    renameSync(unpacked, directory);
  } catch (error) {
    // Another build was faster; its sources are the same.
    if (!existsSync(directory)) throw error;
    rmSync(unpacked, { recursive: true, force: true });
  }
  return directory;
}

function findTarball(lock: Lock): string {
  const given = process.env[lock.given];
  if (given) return verified(given, lock);
  const cached = join(cache, lock.tarball);
  if (existsSync(cached)) return verified(cached, lock);
  if (fetchFromPool(lock.debianPool, lock.sha256, cached)) return verified(cached, lock);
  throw new NoSources(
    `Cannot find the sources of ${lock.title} ${lock.version}: no apt mirror has them; supply ${lock.given}=/path/to/${lock.tarball}`,
  );
}

function verified(path: string, lock: Lock): string {
  if (!existsSync(path)) throw new BuildError(`Cannot read "${path}": ${lock.given} names no file`);
  const sum = sha256(path);
  if (sum !== lock.sha256)
    throw new BuildError(
      `Cannot use "${path}": its sha256 is ${sum}, sources.lock.json wants ${lock.sha256}`,
    );
  return path;
}
