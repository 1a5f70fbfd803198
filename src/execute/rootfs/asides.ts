import type { ContainerPath } from "../../model/paths.ts";
import { AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW, O_RDONLY } from "../../sys/constants.ts";
import { EACCES } from "../../sys/errno.ts";
import type { Fd, Stat, Syscalls } from "../../sys/syscalls.ts";
import { SystemError } from "../../sys/system-error.ts";

/** A place in the container: an open directory and one name in it. */
export interface Place {
  readonly parent: Fd;
  readonly name: string;
}

/**
 * The container has something in the way that is not ours to remove: a directory with content, a file as parent, a
 * volume or another mount, a mount that it shares with the host, or no right of its root's to make the place.
 */
export class InTheWay extends Error {
  readonly path: ContainerPath;
  readonly what: "directory" | "file" | "mount" | "shared mount" | "volume" | "permission";

  constructor(path: ContainerPath, what: InTheWay["what"]) {
    super(`${path}: ${what} in the way`);
    this.path = path;
    this.what = what;
  }
}

export const hasErrno = (error: unknown, errno: number): boolean =>
  error instanceof SystemError && error.errno === errno;

/** Makes something; what the container's root may not make is in the way. */
export function orInTheWay<T>(path: ContainerPath, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw hasErrno(error, EACCES) ? new InTheWay(path, "permission") : error;
  }
}

/**
 * The directory, beside what was in the way, in which it waits under its own name. It is there while a hook works;
 * one that is found later says that a hook was killed.
 */
export const ASIDE = ".nvoci-aside";
/** Nobody but its owner has business there. */
const ASIDE_MODE = 0o700;
/** An image can put any number of names there. */
const MAX_NAMES = 4096;

/** Whether a name is still the very object that it was. */
export function isStill(system: Syscalls, parent: Fd, name: string, before: Stat | undefined): boolean {
  const now = system.statx(parent, name, AT_SYMLINK_NOFOLLOW);
  return (
    now !== undefined &&
    before !== undefined &&
    now.inode === before.inode &&
    now.device === before.device &&
    now.type === before.type
  );
}

/** Makes the directory for what is set aside of another one. @returns `false` when the name is taken. */
export const makeAside = (system: Syscalls, parent: Fd): boolean => system.mkdirat(parent, ASIDE, ASIDE_MODE);

/** Opens what a killed hook has left in a directory. A link or a file of that name is an image's own affair. */
export const findAside = (system: Syscalls, parent: Fd): Fd | undefined =>
  system.openatIfThere(parent, ASIDE, O_RDONLY | system.O_DIRECTORY | system.O_NOFOLLOW);

/** What became of the things that had been set aside in one directory. */
interface PutBack {
  readonly back: readonly string[];
  /** What is still set aside: something with content has its place. */
  readonly left: readonly string[];
}

/**
 * Puts back what a killed hook had set aside, each under its own name, and removes the empty directory.
 *
 * In its place may be what the hook had made: an empty file, an empty directory or a link. Anything else stays, and
 * what was set aside with it. An image can have such a directory of its own; what happens then are renames within one
 * directory of its own root, and the loss of links and empty files there, all of which it could have done itself:
 * nothing is opened, no link followed, and no name reaches further than the directory.
 *
 * @param aside the directory that `findAside` has opened.
 */
export function putBack(system: Syscalls, parent: Fd, aside: Fd): PutBack {
  const back: string[] = [];
  const left: string[] = [];
  for (const name of system.getdents64(aside, MAX_NAMES)) {
    (attempt(() => putOneBack(system, parent, aside, name)) ? back : left).push(name);
  }
  if (left.length === 0) attempt(() => removeAside(system, parent));
  return { back, left };
}

const removeAside = (system: Syscalls, parent: Fd): boolean => {
  system.unlinkat(parent, ASIDE, AT_REMOVEDIR);
  return true;
};

function putOneBack(system: Syscalls, parent: Fd, aside: Fd, name: string): boolean {
  // A second thing of the same name was the hook's own.
  if (isNumbered(name)) {
    system.unlinkat(aside, name, 0);
    return true;
  }
  // No directory is ever set aside.
  if (system.statx(aside, name, AT_SYMLINK_NOFOLLOW)?.type === "directory") return false;
  const there = system.statx(parent, name, AT_SYMLINK_NOFOLLOW);
  if (there?.type === "directory") system.unlinkat(parent, name, AT_REMOVEDIR);
  else if (there !== undefined && there.type !== "symlink" && !isEmptyFile(there)) return false;
  system.renameat(aside, name, parent, name);
  return true;
}

const isEmptyFile = ({ type, size }: Stat): boolean => type === "file" && size === 0;

/** Runs a step that may fail: what is mounted upon, or not ours by its mode, can be neither renamed nor removed. */
function attempt(action: () => boolean): boolean {
  try {
    return action();
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  }
}

/** A name for a further thing that was set aside from the same place. */
export const numbered = (count: number): string => `.nvoci-${count}`;
const isNumbered = (name: string): boolean => /^\.nvoci-\d+$/.test(name);
