import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fetchFromPool } from "./debian-pool.ts";
import { root } from "./root.ts";
import { BuildError, isRunnable, run } from "./run.ts";

const cache = join(root, ".cache");

/** The sources of the native program are not available. The Node.js build does not need them. */
export class NoSources extends BuildError {}

interface Lock {
  readonly title: string;
  readonly version: string;
  readonly sha256: string;
  readonly licence: string;
  /** Whose product it is in CPE names. */
  readonly vendor: string;
  /** The file's name. */
  readonly tarball: string;
  /** The path in a Debian pool. */
  readonly debianPool: string;
  /** The environment variable that names a file to use instead. */
  readonly given: string;
}

type SourceName = "quickjs" | "musl";

/** The third-party sources of the native program. */
export const SOURCES: Readonly<Record<SourceName, Lock>> = JSON.parse(
  readFileSync(join(root, "packaging/native/sources.lock.json"), "utf8"),
);

const sha256 = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

/**
 * Unpacks pinned sources below .cache/. It searches the tarball in the path of its variable, in .cache/, and in
 * the Debian pool of apt's mirrors.
 *
 * @returns the directory of the sources.
 * @throws NoSources when there is no tarball, or no program to unpack it.
 * @throws BuildError when the tarball has another checksum.
 */
export function pinnedSource(name: SourceName): string {
  const lock = SOURCES[name];
  const directory = join(cache, `${name}-${lock.version}-${lock.sha256.slice(0, 12)}`, "source");
  if (existsSync(directory)) return directory;
  const tarball = findTarball(lock);
  if (tarball.endsWith(".xz") && !isRunnable("xz"))
    throw new NoSources(`Cannot unpack "${tarball}": no "xz" (Debian package xz-utils)`);
  // Unpack beside, then move: an interrupted build leaves nothing that looks complete.
  const unpacked = `${directory}.${process.pid}`;
  mkdirSync(unpacked, { recursive: true });
  run("tar", ["-xf", tarball, "-C", unpacked, "--strip-components=1"]);
  try {
    renameSync(unpacked, directory);
  } catch (error) {
    // Another build has finished first, with the same sources.
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
  if (!existsSync(path)) throw new BuildError(`Cannot read "${path}": ${lock.given} does not name a file`);
  const sum = sha256(path);
  if (sum !== lock.sha256)
    throw new BuildError(
      `Cannot use "${path}": its sha256 is ${sum}, sources.lock.json wants ${lock.sha256}`,
    );
  return path;
}
