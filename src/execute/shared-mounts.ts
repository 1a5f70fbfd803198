import type { ContainerPath } from "../model/paths.ts";
import { AT_SYMLINK_NOFOLLOW, O_PATH } from "../sys/constants.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { mountId, parseMountTable, readMountInfo } from "./mount-table.ts";
import type { Rootfs } from "./rootfs.ts";

/** Tells whether what is mounted at a path, whose parents are made if need be, would appear on the host as well. */
export type IsShared = (rootfs: Rootfs, path: ContainerPath) => boolean;

/** Numbers of the mounts of the current namespace that share what is mounted on them. */
function sharedIds(system: Syscalls): ReadonlySet<number> {
  const text = readMountInfo(system);
  if (!text.includes(" shared:")) return new Set();
  const shared = parseMountTable(text).filter((mount) => mount.shared);
  return new Set(shared.map(({ id }) => id));
}

/**
 * Asks whether a mount would reach beyond the container: a volume that was given with shared propagation is one
 * mount in two namespaces. A container without any, which is nearly every one, costs one reading of its mount table.
 *
 * @returns the question about one path.
 * @see mount_namespaces(7), "Shared subtrees"
 */
export function sharedMounts(system: Syscalls): IsShared {
  let shared: ReadonlySet<number> | undefined;
  return (rootfs, path) => {
    shared ??= sharedIds(system);
    if (shared.size === 0) return false;
    const { parent, name } = rootfs.place(path);
    if (system.statx(parent, name, AT_SYMLINK_NOFOLLOW) === undefined) {
      return shared.has(mountId(system, parent));
    }
    // What lies there can be a mount of its own.
    const fd = system.openat(parent, name, O_PATH | system.O_NOFOLLOW);
    const id = mountId(system, fd);
    system.close(fd);
    return shared.has(id);
  };
}
