import { AT_REMOVEDIR, O_RDONLY } from "../../sys/constants.ts";
import type { Fd, Syscalls } from "../../sys/syscalls.ts";
import { SystemError } from "../../sys/system-error.ts";
import { mountId } from "../mount/mount-table.ts";
import { ASIDE, findAside, putBack } from "./asides.ts";

/** One thing that was done in a root file system, or could not be; paths are as a container sees them. */
export interface Cleaned {
  readonly path: string;
  readonly what: "put-back" | "removed" | "left";
}

/** As deep as is looked: a descriptor is open for each directory on the way. */
const MAX_DEPTH = 512;
const MAX_NAMES = 1_000_000;

/** Caches that ldconfig had not finished: a file, or a directory of one hook that held it. */
const DRAFT = /^\.nvoci-(?:\d+-)?cache(?:-\d+)?$/;

/**
 * Finishes what hooks have left in a root file system that were killed: what they had set aside is put back, in the
 * place of what they had made there, and unfinished caches are removed.
 *
 * Every directory is opened by one name below the one that it is in. No link is followed, and no other mount entered.
 *
 * @param root an open directory that no start works on, see `lockRoot`.
 */
export function cleanRoot(system: Syscalls, root: Fd): Cleaned[] {
  const cleaned: Cleaned[] = [];
  const mount = mountId(system, root);
  const putAllBack = (directory: Fd, path: string): void => {
    const aside = findAside(system, directory);
    if (aside === undefined) return;
    if (mountId(system, aside) === mount) {
      const { back, left } = putBack(system, directory, aside);
      for (const name of back) cleaned.push({ path: `${path}/${name}`, what: "put-back" });
      for (const name of left) cleaned.push({ path: `${path}/${ASIDE}/${name}`, what: "left" });
    }
    system.close(aside);
  };
  const visit = (directory: Fd, path: string, depth: number): void => {
    putAllBack(directory, path);
    for (const name of system.getdents64(directory, MAX_NAMES)) {
      if (path === "/etc" && DRAFT.test(name)) cleaned.push(removeDraft(system, directory, name));
      if (name === ASIDE || depth === MAX_DEPTH) continue;
      // A file, a link or a device is not opened.
      const below = openDirectory(system, directory, name);
      if (below === undefined) continue;
      if (mountId(system, below) === mount) visit(below, `${path}/${name}`, depth + 1);
      system.close(below);
    }
  };
  visit(root, "", 0);
  return cleaned;
}

const openDirectory = (system: Syscalls, parent: Fd, name: string): Fd | undefined =>
  system.openatIfThere(parent, name, O_RDONLY | system.O_DIRECTORY | system.O_NOFOLLOW);

function removeDraft(system: Syscalls, etc: Fd, name: string): Cleaned {
  const path = `/etc/${name}`;
  try {
    const directory = openDirectory(system, etc, name);
    if (directory === undefined) system.unlinkat(etc, name, 0);
    else {
      for (const file of system.getdents64(directory, MAX_NAMES)) system.unlinkat(directory, file, 0);
      system.close(directory);
      system.unlinkat(etc, name, AT_REMOVEDIR);
    }
    return { path, what: "removed" };
  } catch (error) {
    if (error instanceof SystemError) return { path, what: "left" };
    throw error;
  }
}
