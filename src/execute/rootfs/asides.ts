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
 * Thrown when nvoci cannot make a place because of something that it must not remove: a directory with content, a
 * file as parent, a volume or another mount, a mount that the container shares with the host, or missing
 * permission of the container's root.
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

/** Runs an action. @throws {InTheWay} "permission" when the container's root lacks permission (EACCES). */
export function orInTheWay<T>(path: ContainerPath, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw hasErrno(error, EACCES) ? new InTheWay(path, "permission") : error;
  }
}

/**
 * The directory that keeps what was set aside, under its own name. It is next to the place, and exists only while
 * a hook works. If it is found later, a hook was killed.
 */
export const ASIDE = ".nvoci-aside";
/** Only the owner needs access. */
const ASIDE_MODE = 0o700;
/** Bounds the names in that directory, which an image can fill. */
const MAX_NAMES = 4096;

/** Reports whether a name still refers to the same inode. */
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

/** Makes the directory for what is set aside in `parent`. @returns `false` when the name exists. */
export const makeAside = (system: Syscalls, parent: Fd): boolean => system.mkdirat(parent, ASIDE, ASIDE_MODE);

/**
 * Opens what a killed hook has left in a directory. A link or a file of that name is the image's and is ignored.
 */
export const findAside = (system: Syscalls, parent: Fd): Fd | undefined =>
  system.openatIfThere(parent, ASIDE, O_RDONLY | system.O_DIRECTORY | system.O_NOFOLLOW);

/** What happened to the names that were set aside in one directory. */
interface PutBack {
  readonly back: readonly string[];
  /** Names that are still set aside, because something with content is in their place. */
  readonly left: readonly string[];
}

/**
 * Puts back what a killed hook had set aside, each under its own name, and removes the empty directory.
 *
 * It replaces only what the hook may have made in that place: an empty file, an empty directory or a link.
 * Anything else stays, and so does what was set aside. An image can contain such a directory itself. The effects
 * are then renames within one directory of its own root, and the loss of links and empty files there. The image
 * could have done the same: nothing is opened, no link is followed, and no name leads out of the directory.
 *
 * @param aside the directory that `findAside` has opened.
 */
export function putBack(system: Syscalls, parent: Fd, aside: Fd): PutBack {
  const back: string[] = [];
  const left: string[] = [];
  for (const name of system.getdents64(aside, MAX_NAMES)) {
    (succeeds(() => putOneBack(system, parent, aside, name)) ? back : left).push(name);
  }
  if (left.length === 0) succeeds(() => removeAside(system, parent));
  return { back, left };
}

const removeAside = (system: Syscalls, parent: Fd): boolean => {
  system.unlinkat(parent, ASIDE, AT_REMOVEDIR);
  return true;
};

function putOneBack(system: Syscalls, parent: Fd, aside: Fd, name: string): boolean {
  // A second file of the same name was the hook's own.
  if (isNumbered(name)) {
    system.unlinkat(aside, name, 0);
    return true;
  }
  // A hook never sets a directory aside.
  if (system.statx(aside, name, AT_SYMLINK_NOFOLLOW)?.type === "directory") return false;
  const there = system.statx(parent, name, AT_SYMLINK_NOFOLLOW);
  if (there?.type === "directory") system.unlinkat(parent, name, AT_REMOVEDIR);
  else if (there !== undefined && there.type !== "symlink" && !isEmptyFile(there)) return false;
  system.renameat(aside, name, parent, name);
  return true;
}

const isEmptyFile = ({ type, size }: Stat): boolean => type === "file" && size === 0;

/** Runs a step that may fail: a mount point, or a file without permission, can be neither renamed nor removed. */
function succeeds(action: () => boolean): boolean {
  try {
    return action();
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  }
}

/** Returns a name for another file set aside from the same place. */
export const numbered = (count: number): string => `.nvoci-${count}`;
const isNumbered = (name: string): boolean => /^\.nvoci-\d+$/.test(name);
