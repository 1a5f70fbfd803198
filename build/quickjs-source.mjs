import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fetchFromPool } from "./debian-pool.mjs";
import { BuildError, isRunnable, run } from "./run.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const cache = join(root, ".cache");

/** QuickJS cannot be had here; the Node.js build still can. */
export class NoQuickjs extends BuildError {}

/** The pinned sources: version, file name, sha256 and the path in a Debian pool. */
export const lock = JSON.parse(readFileSync(join(root, "packaging/native/quickjs.lock.json"), "utf8"));

const sha256 = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");

/**
 * The pinned sources of QuickJS, unpacked below .cache/. The tarball is looked for at $NVOCI_QUICKJS_TARBALL, then in
 * .cache/, then in the Debian pool of the mirrors that apt is configured with.
 *
 * @returns the directory with quickjs.c in it
 * @throws NoQuickjs when there is no tarball, or nothing to unpack it
 * @throws BuildError when it is another one
 */
export function quickjsSource() {
  const directory = join(cache, `quickjs-${lock.version}-${lock.sha256.slice(0, 12)}`, "source");
  if (existsSync(directory)) return directory;
  const tarball = findTarball();
  if (!isRunnable("xz")) throw new NoQuickjs('Cannot unpack QuickJS: no "xz" (Debian package xz-utils)');
  // Unpacked beside, then moved: an interrupted build leaves nothing that looks finished.
  const unpacked = `${directory}.${process.pid}`;
  mkdirSync(unpacked, { recursive: true });
  run("tar", ["-xJf", tarball, "-C", unpacked, "--strip-components=1"]);
  try {
    renameSync(unpacked, directory);
  } catch (error) {
    // Another build was faster; its sources are the same.
    if (!existsSync(directory)) throw error;
    rmSync(unpacked, { recursive: true, force: true });
  }
  return directory;
}

function findTarball() {
  const given = process.env.NVOCI_QUICKJS_TARBALL;
  if (given) return verified(given);
  const cached = join(cache, lock.tarball);
  if (existsSync(cached)) return verified(cached);
  if (fetchFromPool(lock.debianPool, lock.sha256, cached)) return verified(cached);
  throw new NoQuickjs(
    `Cannot find the sources of QuickJS ${lock.version}: no apt mirror has them; supply NVOCI_QUICKJS_TARBALL=/path/to/${lock.tarball}`,
  );
}

function verified(path) {
  if (!existsSync(path)) throw new BuildError(`Cannot read "${path}": NVOCI_QUICKJS_TARBALL names no file`);
  const sum = sha256(path);
  if (sum !== lock.sha256)
    throw new BuildError(
      `Cannot use "${path}": its sha256 is ${sum}, quickjs.lock.json wants ${lock.sha256}`,
    );
  return path;
}
