import { dirname } from "../../model/paths.ts";
import type { OperationOf } from "../../plan/operation.ts";
import {
  MS_BIND,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REMOUNT,
  O_CREAT,
  O_EXCL,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  SELINUX_MAGIC,
} from "../../sys/constants.ts";
import { CWD, type Fd, type Syscalls } from "../../sys/syscalls.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import type { Undo } from "../undo.ts";
import { unbind } from "./bind.ts";

const FLAGS = MS_NOSUID | MS_NODEV | MS_NOEXEC;
/**
 * Generated files are a few kilobytes. The owner can write until the remount; in a user namespace we need that.
 */
const TMPFS_DATA = "mode=0755,size=1m";

interface CoverContext {
  readonly system: Syscalls;
  readonly rootfs: Pick<Rootfs, "directoryPlaceholder">;
  readonly undo: Pick<Undo, "add">;
  readonly mountLabel?: string | undefined;
}

/** Makes a directory and its parents below an open one. */
function makeDirectories(system: Syscalls, top: Fd, path: string): void {
  const parent = dirname(`/${path}`).slice(1);
  if (parent !== "") makeDirectories(system, top, parent);
  system.mkdirat(top, path, 0o755);
}

/**
 * Returns the options of a tmpfs. It gets the container's SELinux label, as runc does for its own, so that a
 * confined process can read the files. A kernel without SELinux refuses the option.
 */
function tmpfsData(system: Syscalls, label: string | undefined): string {
  if (label === undefined) return TMPFS_DATA;
  // The host's /sys: the runtime has not pivoted yet.
  const selinux = system.openatIfThere(CWD, "/sys/fs/selinux", O_PATH | system.O_DIRECTORY);
  if (selinux === undefined) return TMPFS_DATA;
  const { type } = system.fstatfs(selinux);
  system.close(selinux);
  return type === SELINUX_MAGIC ? `${TMPFS_DATA},context="${label}"` : TMPFS_DATA;
}

/**
 * Covers a directory of the container with a tmpfs of generated files and empty directories.
 *
 * mount(2) takes a path: the number of an open descriptor in /proc/self/fd, the current directory. Names below the
 * new file system need no protection: only nvoci makes them, and the container does not run yet.
 *
 * @throws {InTheWay} when the directory is a mount, or is missing in a volume.
 */
export function coverDirectory(
  operation: OperationOf<"cover-directory">,
  { system, rootfs, undo, mountLabel }: CoverContext,
): void {
  const place = rootfs.directoryPlaceholder(operation.path);
  const { parent, name } = place;
  const covered = system.openat(parent, name, O_PATH | system.O_DIRECTORY | system.O_NOFOLLOW);
  system.mount("tmpfs", covered, "tmpfs", FLAGS, tmpfsData(system, mountLabel));
  undo.add(() => unbind(system, place));
  const top = system.openat(parent, name, O_RDONLY | system.O_DIRECTORY | system.O_NOFOLLOW);
  system.mount("none", top, null, MS_PRIVATE, null);

  for (const directory of operation.directories) makeDirectories(system, top, directory);
  for (const { name: file, content, mode } of operation.files) {
    const directory = dirname(`/${file}`).slice(1);
    if (directory !== "") makeDirectories(system, top, directory);
    const fd = system.openat(top, file, O_WRONLY | O_CREAT | O_EXCL, mode);
    system.write(fd, content);
    system.close(fd);
  }
  system.mount("none", top, null, MS_REMOUNT | MS_BIND | MS_RDONLY | FLAGS, null);
  for (const fd of [covered, top]) system.close(fd);
}
