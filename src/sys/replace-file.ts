import { basename, dirname, type HostPath } from "../model/paths.ts";
import { AT_SYMLINK_NOFOLLOW, O_CREAT, O_EXCL, O_RDONLY, O_WRONLY } from "./constants.ts";
import { CWD, type Fd } from "./fd.ts";
import type { Syscalls } from "./syscalls.ts";

/** How a file is written. */
export interface ReplaceOptions {
  /** Whether the content is to survive a power failure from then on. */
  readonly synced: boolean;
  /** Permission bits of a file that does not exist yet. Default 0644. */
  readonly mode?: number;
}

/** Makes a file under a name that nothing has; one that a killed predecessor left is replaced. */
function createNew(system: Syscalls, directory: Fd, name: string): Fd {
  const flags = O_WRONLY | O_CREAT | O_EXCL | system.O_NOFOLLOW;
  if (system.statx(directory, name, AT_SYMLINK_NOFOLLOW) !== undefined) system.unlinkat(directory, name, 0);
  return system.openat(directory, name, flags, 0o600);
}

/**
 * Puts a new content in a file's place in one step: nobody ever sees half of it, and a failure leaves the old one.
 * Mode and owner stay. The directory is trusted; a symbolic link as the last component is replaced, not followed.
 *
 * @throws SystemError
 * @see rename(2)
 */
export function replaceFile(
  system: Syscalls,
  path: HostPath,
  content: Uint8Array,
  { synced, mode = 0o644 }: ReplaceOptions,
): void {
  const name = basename(path);
  const temporary = `.${name}.nvoci-${system.getpid()}`;
  const directory = system.openat(CWD, dirname(path), O_RDONLY | system.O_DIRECTORY);
  try {
    const old = system.statx(directory, name, AT_SYMLINK_NOFOLLOW);
    const fd = createNew(system, directory, temporary);
    try {
      system.write(fd, content);
      if (old !== undefined) system.fchownat(directory, temporary, old.uid, old.gid, AT_SYMLINK_NOFOLLOW);
      system.fchmodat(directory, temporary, old?.mode ?? mode);
      if (synced) system.fsync(fd);
      system.renameat(directory, temporary, directory, name);
      if (synced) system.fsync(directory);
    } catch (error) {
      system.unlinkat(directory, temporary, 0);
      throw error;
    } finally {
      system.close(fd);
    }
  } finally {
    system.close(directory);
  }
}
