import type { MountOption } from "../model/container-edits.ts";
import { NvociError } from "../model/errors.ts";
import type { FileStat, FileType } from "../model/host-view.ts";
import type { HostPath } from "../model/paths.ts";
import {
  AT_EMPTY_PATH,
  AT_SYMLINK_NOFOLLOW,
  MNT_DETACH,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  MOVE_MOUNT_F_EMPTY_PATH,
  MS_BIND,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REMOUNT,
  O_PATH,
  OPEN_TREE_CLONE,
  UMOUNT_NOFOLLOW,
} from "../sys/constants.ts";
import { ENOSYS } from "../sys/errno.ts";
import { CWD, type Fd } from "../sys/fd.ts";
import type { MountAttr, Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";
import type { Place } from "./rootfs.ts";

/** What the source has to be at the moment of the mount, whatever discovery saw before. */
export interface Expected {
  readonly type: FileType;
  /** For device nodes: the number that the cgroup is told. */
  readonly device?: { readonly major: number; readonly minor: number };
}

/** Binds one file or directory of the host to a place in the container. Submounts are left out. */
export type Bind = (from: HostPath, expected: Expected, to: Place, options: readonly MountOption[]) => void;

const ATTRIBUTES: Readonly<Record<MountOption, number>> = {
  ro: MOUNT_ATTR_RDONLY,
  nosuid: MOUNT_ATTR_NOSUID,
  nodev: MOUNT_ATTR_NODEV,
  noexec: MOUNT_ATTR_NOEXEC,
};
const MOUNT_FLAGS: Readonly<Record<MountOption, number>> = {
  ro: MS_RDONLY,
  nosuid: MS_NOSUID,
  nodev: MS_NODEV,
  noexec: MS_NOEXEC,
};
/**
 * Flags that a remount has to repeat: in a user namespace the kernel refuses to drop them. statfs(2) has them under
 * the same values. Access-time flags are left out, because a remount that names none keeps them.
 */
const KEPT_FLAGS = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;

const union = (values: Readonly<Record<MountOption, number>>, options: readonly MountOption[]): number =>
  options.reduce((sum, option) => sum | values[option], 0);

/** Refuses a source that is no longer what the plan says: a link or directory put in a file's place, say. */
function verify(from: HostPath, expected: Expected, found: FileStat | undefined): void {
  const { device } = expected;
  const same =
    found?.type === expected.type &&
    (device === undefined || (found.major === device.major && found.minor === device.minor));
  if (same) return;
  const wanted = device ? `${expected.type} ${device.major}:${device.minor}` : expected.type;
  throw new NvociError(
    "operation-failed",
    `Cannot mount "${from}": it was a ${wanted} and has become a ${found?.type ?? "missing file"}`,
  );
}

/**
 * Linux 5.12 and later. The clone gets its flags and its privacy before it appears anywhere, so that there is no
 * moment at which the file is writable in the container, and the place is a descriptor and one name that is not
 * followed.
 */
const byMoveMount = (system: Syscalls): Bind => {
  // Hundreds of binds have the same list of options.
  const attributes = new Map<readonly MountOption[], MountAttr>();
  const attributesOf = (options: readonly MountOption[]): MountAttr => {
    let known = attributes.get(options);
    if (known === undefined) {
      known = { attrSet: union(ATTRIBUTES, options), propagation: MS_PRIVATE };
      attributes.set(options, known);
    }
    return known;
  };
  return (from, expected, { parent, name }, options) => {
    const tree = system.open_tree(CWD, from, OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
    try {
      verify(from, expected, system.statx(tree, "", AT_EMPTY_PATH));
      system.mount_setattr(tree, "", AT_EMPTY_PATH, attributesOf(options));
      system.move_mount(tree, "", parent, name, MOVE_MOUNT_F_EMPTY_PATH);
    } finally {
      system.close(tree);
    }
  };
};

/**
 * Before Linux 5.12. mount(2) takes paths, so both ends are descriptors' numbers looked up in /proc/self/fd, which
 * the caller has made the current directory: the kernel jumps to the very objects. The flags come in a second call;
 * the container does not run yet.
 */
const byMount =
  (system: Syscalls): Bind =>
  (from, expected, { parent, name }, options) => {
    const flags = O_PATH | system.O_NOFOLLOW;
    const source = system.openat(CWD, from, flags);
    const target = system.openat(parent, name, flags);
    let top: Fd | undefined;
    try {
      verify(from, expected, system.statx(source, "", AT_EMPTY_PATH));
      system.mount(`${source.number}`, `${target.number}`, null, MS_BIND, null);
      try {
        top = system.openat(parent, name, flags);
        const kept = system.fstatfs(top).flags & KEPT_FLAGS;
        const wanted = kept | union(MOUNT_FLAGS, options);
        system.mount("none", `${top.number}`, null, MS_REMOUNT | MS_BIND | wanted, null);
        system.mount("none", `${top.number}`, null, MS_PRIVATE, null);
      } catch (error) {
        unbind(system, { parent, name });
        throw error;
      }
    } finally {
      system.close(source);
      system.close(target);
      if (top !== undefined) system.close(top);
    }
  };

/** Detaches the topmost mount at a place. The current directory must be /proc/self/fd. */
export function unbind(system: Syscalls, { parent, name }: Place): void {
  system.umount2(`${parent.number}/${name}`, MNT_DETACH | UMOUNT_NOFOLLOW);
}

/**
 * The mount calls of this kernel. The older pair is chosen once, when the first bind meets a call that the kernel
 * does not have; a call that exists and refuses is never retried by other means.
 */
export function binder(system: Syscalls): Bind {
  let chosen: Bind | undefined;
  return (from, expected, to, options) => {
    if (chosen !== undefined) return chosen(from, expected, to, options);
    const newer = byMoveMount(system);
    try {
      newer(from, expected, to, options);
      chosen = newer;
    } catch (error) {
      if (!(error instanceof SystemError) || error.errno !== ENOSYS) throw error;
      chosen = byMount(system);
      chosen(from, expected, to, options);
    }
  };
}
