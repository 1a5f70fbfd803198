import { basename, isWithin } from "../../model/paths.ts";
import { O_PATH } from "../../sys/constants.ts";
import { CWD, type Fd, type Syscalls } from "../../sys/syscalls.ts";
import { isSilent, type MountEntry, mountId, parseMountTable, readMountInfo } from "./mount-table.ts";

/** What a directory is on, as far as it matters for making something there. */
export interface MountKind {
  /** The container's own: what is made or removed there is nobody else's. */
  readonly own: boolean;
  /** What is mounted there would appear on the host too. */
  readonly shared: boolean;
  /** It may never answer: nothing is asked of it, see `isSilent`. */
  readonly silent: boolean;
}

/** Numbers of mounts. */
export type MountIds = ReadonlySet<number>;

const FOREIGN: MountKind = { own: false, shared: false, silent: false };

/**
 * The mounts of a container as the runtime has left them. The table is read once, before anything is mounted; the
 * container does not run yet, so nobody else changes it.
 *
 * A mount is the container's own, to be changed, when it is
 *
 * - the root's: the mount that the root directory itself is on, or
 * - a tmpfs that appears nowhere outside of the root. The table is that of a copy of the runtime's namespace, before
 *   the runtime pivots: it has the host's mounts too. A tmpfs that one of them shows is the host's, bound into the
 *   container (`-v /run:/run`, a volume in memory); one that none of them shows was mounted for this container and is
 *   gone with it, as /dev and /run are.
 *
 * Everything else is somebody's: volumes, files that an engine binds, procfs, what we bind ourselves. Which mount a
 * directory is on is asked of its descriptor; no name and no link of the image has a say in it.
 */
export class ContainerMounts {
  private readonly system: Syscalls;
  private readonly kinds = new Map<number, MountKind>();
  /** Last components of everything that is mounted on. */
  private readonly names = new Set<string>();
  /** The silent ones below the root. Its own mount is not among them: the runtime has looked into that already. */
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
      const { id, point, device, shared, type } = mount;
      const kind = { own: type === "tmpfs" && !outside.has(device), shared, silent: isSilent(mount) };
      this.kinds.set(id, kind);
      this.names.add(basename(point));
      if (kind.silent && id !== top) silent.add(id);
    }
    this.silent = silent;
    this.kinds.set(top, { own: true, shared: this.kinds.get(top)?.shared === true, silent: false });
  }

  /** What an open file or directory is on. */
  kindOf(fd: Fd): MountKind {
    return this.kinds.get(mountId(this.system, fd)) ?? FOREIGN;
  }

  /** What was mounted on this very name before we came, if anything was. */
  mountedOn(parent: Fd, name: string): MountKind | undefined {
    // Nearly no name of ours is one that anything is mounted on, wherever that is.
    if (!this.names.has(name)) return undefined;
    const fd = this.system.openatIfThere(parent, name, O_PATH | this.system.O_NOFOLLOW);
    if (fd === undefined) return undefined;
    const id = mountId(this.system, fd);
    this.system.close(fd);
    return id === mountId(this.system, parent) ? undefined : this.kinds.get(id);
  }
}

/** Whether a table can have a silent mount at all. A source cannot pretend to be a type: its spaces are `\040`. */
const HAS_FUSE = / - fuse(?!ctl )/;

/**
 * The silent mounts below a container's root, for a look from outside of its namespace. Without FUSE on the host, that
 * is one reading of a table.
 *
 * @param process the /proc directory of a process in whose mount namespace the root is mounted.
 */
export function silentMounts(system: Syscalls, root: Fd, process?: string): MountIds | undefined {
  const table = readMountInfo(system, process);
  return HAS_FUSE.test(table) ? new ContainerMounts(system, root, table).silent : undefined;
}
