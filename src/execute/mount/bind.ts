import type { MountOption } from "../../model/container-edits.ts";
import { NvociError } from "../../model/errors.ts";
import type { HostPath } from "../../model/paths.ts";
import type { FileStat, FileType } from "../../model/views.ts";
import {
  AT_EMPTY_PATH,
  AT_RECURSIVE,
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
  MS_REC,
  MS_REMOUNT,
  O_PATH,
  OPEN_TREE_CLONE,
  UMOUNT_NOFOLLOW,
} from "../../sys/constants.ts";
import { ENOSYS } from "../../sys/errno.ts";
import { CWD, type Fd, type MountAttr, type Syscalls } from "../../sys/syscalls.ts";
import { SystemError } from "../../sys/system-error.ts";
import { quote } from "../../text/quote.ts";
import type { Place } from "../rootfs/asides.ts";
import { mountsBelow } from "./mount-table.ts";

/** What the source must be at the time of the mount, whatever discovery saw before. */
export interface Expected {
  readonly type: FileType;
  /** For device nodes: the number that the cgroup allows. */
  readonly device?: { readonly major: number; readonly minor: number };
}

/**
 * Binds one file or directory of the host to a place in the container. Mounts below a directory are left out,
 * except in a user namespace.
 *
 * @throws {NvociError} "operation-failed" when the source is not what the plan expects.
 */
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
 * Flags that a remount must repeat, because in a user namespace the kernel refuses to drop them. statfs(2) uses
 * the same values. Access-time flags are left out, because a remount without any keeps them.
 */
const KEPT_FLAGS = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;

const union = (values: Readonly<Record<MountOption, number>>, options: readonly MountOption[]): number =>
  options.reduce((sum, option) => sum | values[option], 0);

/** Refuses a source that has changed since the plan, such as a link in place of a file. */
function verify(from: HostPath, expected: Expected, found: FileStat | undefined): void {
  const { device } = expected;
  const same =
    found?.type === expected.type &&
    (device === undefined || (found.major === device.major && found.minor === device.minor));
  if (same) return;
  const wanted = device ? `${expected.type} ${device.major}:${device.minor}` : expected.type;
  throw new NvociError(
    "operation-failed",
    `Cannot mount ${quote(from, 4096)}: it is ${found === undefined ? "gone" : `now a ${found.type}`}; the plan saw a ${wanted}`,
  );
}

/**
 * Reports whether a bind must include the mounts below. In a user namespace all mounts of the host are locked
 * together: the kernel refuses (EINVAL) to bind a directory without them, because they may hide something.
 */
const isWhole = ({ type }: Expected, inUserNamespace: boolean): boolean =>
  inUserNamespace && type === "directory";

/**
 * Binds with move_mount(2) (Linux 5.12). The clone gets its flags and becomes private before it is attached, so
 * the file is never writable in the container. The place is a descriptor and one name that is not followed.
 */
const byMoveMount = (system: Syscalls, inUserNamespace: boolean): Bind => {
  // Hundreds of binds share the same list of options.
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
    const depth = isWhole(expected, inUserNamespace) ? AT_RECURSIVE : 0;
    const tree = system.open_tree(CWD, from, OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW | depth);
    try {
      verify(from, expected, system.statx(tree, "", AT_EMPTY_PATH));
      system.mount_setattr(tree, "", AT_EMPTY_PATH | depth, attributesOf(options));
      system.move_mount(tree, "", parent, name, MOVE_MOUNT_F_EMPTY_PATH);
    } finally {
      system.close(tree);
    }
  };
};

function restrict(system: Syscalls, mounted: Fd, options: readonly MountOption[]): void {
  const kept = system.fstatfs(mounted).flags & KEPT_FLAGS;
  const wanted = kept | union(MOUNT_FLAGS, options);
  system.mount("none", mounted, null, MS_REMOUNT | MS_BIND | wanted, null);
  system.mount("none", mounted, null, MS_PRIVATE, null);
}

/** Restricts the mounts below a bound directory. Their mount points are the host's names, not the image's. */
function restrictBelow(system: Syscalls, top: Fd, options: readonly MountOption[]): void {
  for (const { path: bytes } of mountsBelow(system, top)) {
    const path = system.decode(bytes, 0, bytes.length);
    if (path === "/") continue;
    const mounted = system.openat(top, path.slice(1), O_PATH | system.O_NOFOLLOW);
    restrict(system, mounted, options);
    system.close(mounted);
  }
}

/**
 * Binds with mount(2), before Linux 5.12. It takes paths, so both are numbers of descriptors in /proc/self/fd, the
 * current directory: the kernel jumps to the open objects. A second call sets the flags; the container does not
 * run yet.
 */
const byMount =
  (system: Syscalls, inUserNamespace: boolean): Bind =>
  (from, expected, { parent, name }, options) => {
    const flags = O_PATH | system.O_NOFOLLOW;
    const whole = isWhole(expected, inUserNamespace);
    const source = system.openat(CWD, from, flags);
    const target = system.openat(parent, name, flags);
    let top: Fd | undefined;
    try {
      verify(from, expected, system.statx(source, "", AT_EMPTY_PATH));
      system.mount(source, target, null, whole ? MS_BIND | MS_REC : MS_BIND, null);
      try {
        top = system.openat(parent, name, flags);
        restrict(system, top, options);
        if (whole) restrictBelow(system, top, options);
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
  system.umount2(parent, name, MNT_DETACH | UMOUNT_NOFOLLOW);
}

/**
 * Returns a function that binds with this kernel's mount calls. It switches to the older calls once, when the
 * first bind fails with ENOSYS. Any other failure is final.
 *
 * @param inUserNamespace whether the current mount namespace belongs to a user namespace other than the host's.
 */
export function binder(system: Syscalls, inUserNamespace: boolean): Bind {
  let chosen: Bind | undefined;
  return (from, expected, to, options) => {
    if (chosen !== undefined) return chosen(from, expected, to, options);
    const newer = byMoveMount(system, inUserNamespace);
    try {
      newer(from, expected, to, options);
      chosen = newer;
    } catch (error) {
      if (!(error instanceof SystemError) || error.errno !== ENOSYS) throw error;
      chosen = byMount(system, inUserNamespace);
      chosen(from, expected, to, options);
    }
  };
}
