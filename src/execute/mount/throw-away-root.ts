import { NvociError } from "../../model/errors.ts";
import { isWithin } from "../../model/paths.ts";
import {
  AT_SYMLINK_NOFOLLOW,
  CLONE_FS,
  CLONE_NEWNS,
  MS_NODEV,
  MS_NOSUID,
  MS_PRIVATE,
  MS_REC,
  O_PATH,
  O_RDONLY,
  PROC_SUPER_MAGIC,
} from "../../sys/constants.ts";
import { CWD, type Fd, type Syscalls } from "../../sys/syscalls.ts";

/** Directories of every host, to mount upon. What they contain is hidden from this process; /tmp may contain itself. */
const POINTS = ["/mnt", "/media", "/srv", "/tmp"];

/** Directories of the image. */
const DIRECTORIES = ["etc", "usr", "usr/lib", "usr/bin", "proc", "dev", "tmp", "run", "var"];

/**
 * Makes a root for a container that never runs, and enters a mount namespace that has it. It is an empty file system in
 * memory. The current directory becomes /proc/self/fd.
 *
 * Why this is safe: before anything is mounted, this process leaves the host's mount namespace, and every mount of the
 * new one becomes private, so that no mount spreads back. The new file system is mounted by a descriptor over a
 * directory of the host, which hides it here and nowhere else. The kernel removes all of it when this process ends,
 * however it ends. The process does not go back: nothing after this call may rely on the host's mounts.
 *
 * @param used paths of the host that the trial mounts; none of them is hidden.
 * @returns an O_PATH descriptor of the root.
 * @throws {SystemError} when a call fails, before which nothing has changed for the host either.
 */
export function openThrowAwayRoot(system: Syscalls, used: readonly string[]): Fd {
  const isDirectory = (path: string): boolean =>
    system.statx(CWD, path, AT_SYMLINK_NOFOLLOW)?.type === "directory";
  const point = POINTS.find(
    (directory) => isDirectory(directory) && !used.some((path) => isWithin(path, directory)),
  );
  if (point === undefined) {
    throw new NvociError(
      "operation-failed",
      "Cannot make a root for a trial: none of its directories is free",
      { hint: `make one of ${POINTS.join(", ")} a directory without files of the driver` },
    );
  }
  const descriptors = system.openat(CWD, "/proc/self/fd", O_PATH | system.O_DIRECTORY);
  if (system.fstatfs(descriptors).type !== PROC_SUPER_MAGIC) {
    throw new NvociError("operation-failed", 'Cannot use "/proc/self/fd": it is not on a proc file system');
  }
  system.unshare(CLONE_FS | CLONE_NEWNS);
  const top = system.openat(CWD, "/", O_RDONLY | system.O_DIRECTORY);
  const place = system.openat(CWD, point, O_PATH | system.O_DIRECTORY | system.O_NOFOLLOW);
  system.fchdir(descriptors);
  system.mount("none", top, null, MS_REC | MS_PRIVATE, null);
  system.mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=64m");
  const root = system.openat(CWD, point, O_PATH | system.O_DIRECTORY | system.O_NOFOLLOW);
  for (const name of DIRECTORIES) system.mkdirat(root, name, 0o755);
  for (const fd of [descriptors, top, place]) system.close(fd);
  return root;
}
