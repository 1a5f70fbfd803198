import { NvociError } from "../model/errors.ts";
import { basename, dirname, type HostPath } from "../model/paths.ts";
import { quote } from "../text/quote.ts";
import {
  AT_EMPTY_PATH,
  AT_SYMLINK_NOFOLLOW,
  O_APPEND,
  O_CREAT,
  O_EXCL,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
} from "./constants.ts";
import { CWD, type Fd, type Syscalls } from "./syscalls.ts";
import { SystemError } from "./system-error.ts";

/** A log names containers and files of the host: root's group may read it, others not. */
const MODE = 0o640;

/**
 * Opens a log for appending, and makes one that is not there.
 *
 * Logs can be in a directory where others make names, such as /tmp. So a symbolic link is not followed (O_NOFOLLOW), a
 * FIFO that nobody reads is not waited for (O_NONBLOCK), and what was opened must be a regular file without a second
 * name: root would otherwise write to a file of somebody's choice. It is looked at by its descriptor, and nothing is
 * written before.
 *
 * @throws SystemError or NvociError "file-invalid"
 */
export function openLogFile(system: Syscalls, path: string): Fd {
  const fd = system.openat(CWD, path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | system.O_NOFOLLOW, MODE);
  const stat = system.statx(fd, "", AT_EMPTY_PATH);
  if (stat?.type === "file" && stat.links <= 1) return fd;
  system.close(fd);
  const reason = stat?.type === "file" ? "it has a second name" : `it is a ${stat?.type}, not a file`;
  throw new NvociError("file-invalid", `Cannot write to the log ${quote(path, 4096)}: ${reason}`);
}

/** How a file is written. */
interface ReplaceOptions {
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

/** Removes a name after a failure, which is what the caller is to hear of and not that this failed too. */
function discard(system: Syscalls, directory: Fd, name: string): void {
  try {
    system.unlinkat(directory, name, 0);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
}

/**
 * Puts a new content in a file's place in one step: nobody ever sees half of it, and a failure leaves the old one.
 * Mode and owner of a regular file stay; nothing else has a mode that a file can take over: a symbolic link's is
 * always 0777. The directory is trusted; a symbolic link as the last component is replaced, not followed.
 *
 * @throws SystemError; when it is the directory's fsync(2) that failed, the new content is in place.
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
    const stat = system.statx(directory, name, AT_SYMLINK_NOFOLLOW);
    const old = stat?.type === "file" ? stat : undefined;
    const fd = createNew(system, directory, temporary);
    try {
      system.write(fd, content);
      if (old !== undefined) system.fchownat(directory, temporary, old.uid, old.gid, AT_SYMLINK_NOFOLLOW);
      system.fchmodat(directory, temporary, old?.mode ?? mode);
      if (synced) system.fsync(fd);
      system.renameat(directory, temporary, directory, name);
    } catch (error) {
      discard(system, directory, temporary);
      throw error;
    } finally {
      system.close(fd);
    }
    if (synced) system.fsync(directory);
  } finally {
    system.close(directory);
  }
}
