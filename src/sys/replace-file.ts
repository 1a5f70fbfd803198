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

/** A log names containers and files of the host, so only root and root's group may read it. */
const MODE = 0o640;

/**
 * Opens a log for appending. Creates the file if it does not exist.
 *
 * A log may be in a directory where other users create files, such as /tmp, and root must not write to a file of their
 * choice. So a symbolic link is not followed (O_NOFOLLOW), a FIFO without a reader does not block (O_NONBLOCK), and
 * the open file must be a regular file without a second name. The check uses the descriptor, and happens before
 * anything is written.
 *
 * @throws {NvociError} "file-invalid" when it is not a regular file or has a second name.
 * @throws {SystemError} when the file cannot be opened.
 */
export function openLogFile(system: Syscalls, path: string): Fd {
  const fd = system.openat(CWD, path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | system.O_NOFOLLOW, MODE);
  const stat = system.statx(fd, "", AT_EMPTY_PATH);
  if (stat?.type === "file" && stat.links <= 1) return fd;
  system.close(fd);
  const reason = stat?.type === "file" ? "it has a second name" : `it is a ${stat?.type}, not a file`;
  throw new NvociError("file-invalid", `Cannot write to the log ${quote(path, 4096)}: ${reason}`);
}

/** Options of {@link replaceFile}. */
interface ReplaceOptions {
  /** Whether the content must survive a power failure after the call. */
  readonly synced: boolean;
  /** Permission bits of a new file. Default: 0644. */
  readonly mode?: number;
}

/** Creates a file. A file that a killed process left under the same name is replaced. */
function createNew(system: Syscalls, directory: Fd, name: string): Fd {
  const flags = O_WRONLY | O_CREAT | O_EXCL | system.O_NOFOLLOW;
  if (system.statx(directory, name, AT_SYMLINK_NOFOLLOW) !== undefined) system.unlinkat(directory, name, 0);
  return system.openat(directory, name, flags, 0o600);
}

/** Removes a file after a failure. Ignores errors, so that the caller sees the first one. */
function discard(system: Syscalls, directory: Fd, name: string): void {
  try {
    system.unlinkat(directory, name, 0);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
}

/**
 * Replaces a file's content atomically: readers see the old or the new content, and a failure leaves the old one. A
 * regular file keeps its mode and owner. The directory is trusted. A symbolic link as the last component is replaced,
 * not followed, and its mode is not kept because it is always 0777.
 *
 * @throws {SystemError} when a step fails. If that is the directory's fsync(2), the new content is already in place.
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
