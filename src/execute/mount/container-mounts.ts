import { basename, isWithin } from "../../model/paths.ts";
import { MS_RDONLY, O_PATH } from "../../sys/constants.ts";
import { CWD, type Fd, type Syscalls } from "../../sys/syscalls.ts";
import { isSilent, type MountEntry, mountId, parseMountTable, readMountInfo } from "./mount-table.ts";

/** What nvoci may do on a mount. */
export interface MountKind {
  /** It is the container's own: only this container sees names that are made or removed there. */
  readonly own: boolean;
  /** New mounts on it would appear on the host too. */
  readonly shared: boolean;
  /** It may never respond, so nvoci must not access it; see `isSilent`. */
  readonly silent: boolean;
}

/** Mount ids. */
export type MountIds = ReadonlySet<number>;

const FOREIGN: MountKind = { own: false, shared: false, silent: false };

/**
 * The mounts of a container as the runtime left them. The table is read once, before nvoci mounts anything. The
 * container does not run yet, so the table does not change.
 *
 * A mount is the container's own, and may be changed, when it is
 *
 * - the mount that the root directory is on, or
 * - a writable tmpfs that is mounted nowhere outside the root. The table is read before the runtime pivots, so it contains
 *   the host's mounts too. A tmpfs among those is the host's, bound into the container (`-v /run:/run`, a volume
 *   in memory). Any other was mounted for this container and ends with it, as /dev and /run do.
 *
 * Everything else belongs to others: volumes, files that an engine binds, procfs, and our own binds. A directory's
 * mount is read from its descriptor, so no name or link of the image can influence it.
 */
export class ContainerMounts {
  private readonly system: Syscalls;
  private readonly kinds = new Map<number, MountKind>();
  /** Last components of all mount points. */
  private readonly names = new Set<string>();
  /**
   * Silent mounts below the root. The root's own mount is excluded, because the runtime has accessed it already.
   */
  readonly silent: MountIds;

  /**
   * @param root the container's root directory.
   * @param table the mount table of a process in whose mount namespace the root is mounted.
   */
  constructor(system: Syscalls, root: Fd, table = readMountInfo(system)) {
    this.system = system;
    const rootPath = system.readlinkat(CWD, `/proc/self/fd/${root.number}`) ?? "/";
    const outside = new Set<string>();
    const inside: MountEntry[] = [];
    for (const mount of parseMountTable(table)) {
      if (isWithin(mount.point, rootPath)) inside.push(mount);
      else outside.add(mount.device);
    }
    const top = mountId(system, root);
    const silent = new Set<number>();
    for (const mount of inside) {
      const { id, point, device, flags, shared, type } = mount;
      const own = type === "tmpfs" && !outside.has(device) && (flags & MS_RDONLY) === 0;
      const kind = { own, shared, silent: isSilent(mount) };
      this.kinds.set(id, kind);
      this.names.add(basename(point));
      if (kind.silent && id !== top) silent.add(id);
    }
    this.silent = silent;
    this.kinds.set(top, { own: true, shared: this.kinds.get(top)?.shared === true, silent: false });
  }

  /** Returns the kind of mount that an open file or directory is on. */
  kindOf(fd: Fd): MountKind {
    return this.kinds.get(mountId(this.system, fd)) ?? FOREIGN;
  }

  /** Returns the kind of the mount on this name, or `undefined` if nothing but nvoci has mounted there. */
  mountedOn(parent: Fd, name: string): MountKind | undefined {
    // Few of our names are the name of any mount point, so this avoids most calls.
    if (!this.names.has(name)) return undefined;
    const fd = this.system.openatIfThere(parent, name, O_PATH | this.system.O_NOFOLLOW);
    if (fd === undefined) return undefined;
    const id = mountId(this.system, fd);
    this.system.close(fd);
    return id === mountId(this.system, parent) ? undefined : this.kinds.get(id);
  }
}

/** Matches a table that may contain a silent mount. A source cannot imitate a type: its spaces are `\040`. */
const HAS_FUSE = / - fuse(?!ctl )/;

/**
 * Returns the silent mounts below a container's root, from outside its namespace. Without FUSE on the host, this
 * only reads one table.
 *
 * @param process the /proc directory of a process in whose mount namespace the root is mounted.
 */
export function silentMounts(system: Syscalls, root: Fd, process?: string): MountIds | undefined {
  const table = readMountInfo(system, process);
  return HAS_FUSE.test(table) ? new ContainerMounts(system, root, table).silent : undefined;
}
