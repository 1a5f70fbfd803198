import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Moves the files of a finished directory to where the program may be running. Each file moves by one rename, so
 * that a concurrent start finds a complete file. Files that the finished directory lacks are removed.
 *
 * @param made a directory of files on the same file system as `place`; removed afterwards.
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

/** Makes a symbolic link, or replaces one atomically. */
export function linkInPlace(target: string, path: string): void {
  const made = join(dirname(path), `.link-${process.pid}`);
  rmSync(made, { force: true });
  symlinkSync(target, made);
  renameSync(made, path);
}
