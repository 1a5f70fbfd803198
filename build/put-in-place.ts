import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Moves the files of a finished directory to where a program may be running: each by one rename, so that whoever starts
 * the program meanwhile finds a whole file. What the finished directory does not have is removed.
 *
 * @param made a directory of files, on the same file system as `place`; it is gone afterwards
 */
export function putInPlace(made: string, place: string): void {
  const files = readdirSync(made);
  mkdirSync(place, { recursive: true });
  for (const file of files) renameSync(join(made, file), join(place, file));
  for (const file of readdirSync(place)) {
    if (!files.includes(file)) rmSync(join(place, file), { recursive: true });
  }
  rmSync(made, { recursive: true });
}

/** Makes a symbolic link, or exchanges one for it in one step. */
export function linkInPlace(target: string, path: string): void {
  const made = join(dirname(path), `.link-${process.pid}`);
  rmSync(made, { force: true });
  symlinkSync(target, made);
  renameSync(made, path);
}
