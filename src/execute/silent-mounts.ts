import type { Fd } from "../sys/fd.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { mountId, mountsBelow, parseMountTable, readMountInfo } from "./mount-table.ts";

/** Numbers of mounts. */
export type MountIds = ReadonlySet<number>;

const NONE: MountIds = new Set();

/** In the table a blank, a dash and a blank come before the type. A source cannot fake them: its blanks are `\\040`. */
const FUSE = " - fuse";

/** Whether a program answers for a file system of this type: `fuse`, `fuseblk`, `fuse.sshfs` and so on. */
const isSilent = (type: string): boolean => type.startsWith("fuse");

/**
 * The mounts of a process that may never answer. Behind a FUSE file system is a program, any user's; a process that
 * waits for its answer cannot be killed once the program has read the question. So nothing may be asked of it:
 * neither what is in it nor what its own root is.
 *
 * The root's own mount is left out. The runtime has looked into that one already.
 *
 * @param root the container's root directory.
 * @param process the /proc directory of a process in whose namespace the root is mounted.
 */
export function silentMounts(system: Syscalls, root: Fd, process?: string): MountIds {
  const text = readMountInfo(system, process);
  if (!text.includes(FUSE)) return NONE;
  const silent = parseMountTable(text).filter(({ type }) => isSilent(type));
  const own = mountId(system, root);
  return new Set(silent.map(({ id }) => id).filter((id) => id !== own));
}

/** Where such mounts are below the root of the current namespace's container: parents before what is in them. */
export function silentPoints(system: Syscalls, root: Fd): string[] {
  const below = mountsBelow(system, root).filter(({ path, type }) => path !== "/" && isSilent(type));
  return below.map(({ path }) => path).sort((a, b) => a.length - b.length);
}
