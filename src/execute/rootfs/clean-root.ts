import { AT_REMOVEDIR, O_RDONLY } from "../../sys/constants.ts";
import type { Fd, Syscalls } from "../../sys/syscalls.ts";
import { SystemError } from "../../sys/system-error.ts";
import { mountId } from "../mount/mount-table.ts";
import { ASIDE, findAside, putBack } from "./asides.ts";

/** One change to a root file system, or one that failed. Paths are as the container sees them. */
export interface Cleaned {
  readonly path: string;
  readonly what: "put-back" | "removed" | "left";
}

/** Maximum depth. A descriptor is open for each directory on the way. */
const MAX_DEPTH = 512;
const MAX_NAMES = 1_000_000;

/** An unfinished file of /etc: the file, or one hook's directory that contains it. */
const DRAFT = /^\.nvoci-(?:(?:\d+-)?cache(?:-\d+)?|musl-path)$/;

/**
 * Cleans up after killed hooks in a root file system: puts back what they had set aside, replacing what they had
 * made there, and removes unfinished files.
 *
 * Every directory is opened by one name in its open parent. No link is followed, and no other mount is entered.
 *
 * @param root an open directory that no start works on; see `lockRoot`.
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
      // Opens directories only.
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
