import { basename, type ContainerPath, dirname } from "../../model/paths.ts";
import { AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW, O_PATH, S_IFREG } from "../../sys/constants.ts";
import { EBUSY, ENOTEMPTY } from "../../sys/errno.ts";
import type { Fd, Stat, Syscalls } from "../../sys/syscalls.ts";
import type { ContainerMounts } from "../mount/container-mounts.ts";
import type { Undo } from "../undo.ts";
import { ASIDE, hasErrno, InTheWay, isStill, makeAside, numbered, orInTheWay, type Place } from "./asides.ts";
import { DIRECTORY_MODE, type Directory, OpenDirectories } from "./open-directories.ts";
import { RootView } from "./root-view.ts";

interface OpenPlace extends Place {
  readonly directory: Directory;
}

/**
 * A container's root directory, reached through descriptors only. Whatever it makes, it tells to the journal.
 *
 * Directories are opened once and kept: 300 entries lie in some 30 directories. A kept descriptor is also what
 * makes it safe: it stays the same directory, on the same mount, whatever is done to the names that led to it. Names
 * are made, renamed and removed only in directories on a mount of the container's own (see ContainerMounts),
 * whichever links have led there. Elsewhere what exists is mounted upon, and nothing else is done.
 */
export class Rootfs {
  /** The same root, for reading. */
  readonly view: RootView;
  private readonly system: Syscalls;
  private readonly undo: Undo;
  private readonly mounts: ContainerMounts;
  private readonly alone: boolean;
  private readonly directories: OpenDirectories;

  /**
   * @param root an O_PATH descriptor of the root directory, opened in the namespace to work in.
   * @param alone whether no other start works on the same root, see `lockRoot`. If not, files and directories stay
   * when everything is taken back: another container can have mounted something upon them, which would go with them.
   */
  constructor(system: Syscalls, root: Fd, undo: Undo, mounts: ContainerMounts, alone: boolean) {
    this.system = system;
    this.view = new RootView(system, root, mounts.silent);
    this.undo = undo;
    this.mounts = mounts;
    this.alone = alone;
    const { resolver } = this.view;
    this.directories = new OpenDirectories({ system, root, resolver, undo, mounts, alone });
  }

  /** Whether an open directory is on a mount of the container's own, where names may be made and removed. */
  isOwn(directory: Fd): boolean {
    return this.mounts.kindOf(directory).own;
  }

  /**
   * The directory and name of a path whose parents are made if need be.
   *
   * @throws InTheWay for a silent mount, of which not even the type may be asked.
   */
  place(path: ContainerPath): Place {
    return this.openPlace(path);
  }

  private openPlace(path: ContainerPath): OpenPlace {
    const directory = this.directories.open(dirname(path));
    const name = basename(path);
    if (this.mounts.mountedOn(directory.fd, name)?.silent) throw new InTheWay(path, "mount");
    return { directory, parent: directory.fd, name };
  }

  /** Opens a directory, made with its parents where it is missing. The descriptor stays the rootfs' own. */
  makeDirectories(path: ContainerPath): Fd {
    return this.directories.open(path).fd;
  }

  /**
   * Makes sure that something other than a directory or a link is at the place, to be mounted upon.
   *
   * @throws InTheWay for a directory with content, what the user has mounted there, and a volume that lacks the place.
   */
  placeholder(path: ContainerPath, mode: number): Place {
    const place = this.placeToMount(path);
    if (place.directory.own && this.makeFile(place, path, mode)) return place;
    const type = this.statAt(place)?.type;
    if (type !== undefined && type !== "directory" && type !== "symlink") return place;
    this.clearAway(place, path);
    this.makeFile(place, path, mode);
    return place;
  }

  private makeFile(place: OpenPlace, path: ContainerPath, mode: number): boolean {
    const { parent, name } = place;
    if (!orInTheWay(path, () => this.system.mknodat(parent, name, S_IFREG | mode))) return false;
    this.removeOnUndo(place, 0, () => {
      const stat = this.alone ? this.statAt(place) : undefined;
      return stat?.type === "file" && stat.size === 0;
    });
    return true;
  }

  /**
   * Makes sure that a directory is at the place, to be mounted upon; a link or file there is set aside.
   *
   * @throws InTheWay for what the user has mounted there, and a volume that lacks the place.
   */
  directoryPlaceholder(path: ContainerPath): Place {
    const { system } = this;
    const place = this.placeToMount(path);
    const { directory, parent, name } = place;
    const make = (): boolean => {
      if (!orInTheWay(path, () => system.mkdirat(parent, name, DIRECTORY_MODE))) return false;
      this.directories.removeOnUndo(place);
      return true;
    };
    if ((directory.own && make()) || this.statAt(place)?.type === "directory") return place;
    this.clearAway(place, path);
    make();
    return place;
  }

  /**
   * Makes a link. One with the same text is left alone; any other file there is set aside.
   *
   * @throws InTheWay for a directory with content, whatever is mounted there, and a volume without that link.
   */
  makeLink(path: ContainerPath, target: string): void {
    const { system } = this;
    const place = this.openPlace(path);
    const { directory, parent, name } = place;
    const make = (): boolean => {
      if (!orInTheWay(path, () => system.symlinkat(target, parent, name))) return false;
      this.removeOnUndo(place, 0, () => system.readlinkat(parent, name) === target);
      return true;
    };
    if ((directory.own && make()) || system.readlinkat(parent, name) === target) return;
    this.clearAway(place, path);
    make();
  }

  /**
   * Sets aside what the image has at a path, for a finished file to take its place. Not for directories.
   *
   * @throws InTheWay for whatever is mounted there, and a place in a volume.
   */
  clear(path: ContainerPath): Place {
    const place = this.openPlace(path);
    if (!place.directory.own || this.statAt(place) !== undefined) this.clearAway(place, path);
    return place;
  }

  /** A place to mount upon: not one that the container shares with the host, and not one that is mounted upon. */
  private placeToMount(path: ContainerPath): OpenPlace {
    const place = this.openPlace(path);
    const mounted = this.mounts.mountedOn(place.parent, place.name);
    if ((mounted ?? place.directory).shared) throw new InTheWay(path, "shared mount");
    if (mounted !== undefined) throw new InTheWay(path, "mount");
    return place;
  }

  /**
   * Removes what we have just made when everything is taken back, if it is still that and if no other container can have
   * mounted anything upon it: removing a name detaches what is mounted there, everywhere.
   *
   * A directory is known by its inode. A file or a link is known by what it is, empty or of the same text, because
   * asking for the inodes would be an eighth of all calls of a start. A placeholder's own mount has lain on it until
   * just then, which keeps its name from meaning anything else.
   */
  private removeOnUndo(place: Place, flags: number, isStillOurs: () => boolean): void {
    this.undo.add(() => {
      if (isStillOurs()) this.system.unlinkat(place.parent, place.name, flags);
    });
  }

  private statAt({ parent, name }: Place): Stat | undefined {
    return this.system.statx(parent, name, AT_SYMLINK_NOFOLLOW);
  }

  /** Empties a place that holds something else than what goes there. */
  private clearAway(place: OpenPlace, path: ContainerPath): void {
    const { directory, parent, name } = place;
    const before = this.statAt(place);
    if (before?.type !== "directory" || !directory.own) {
      if (this.mounts.mountedOn(parent, name) !== undefined) throw new InTheWay(path, "mount");
      if (!directory.own) throw new InTheWay(path, "volume");
    }
    if (before === undefined) return;
    try {
      orInTheWay(path, () => {
        if (before.type === "directory") this.removeEmptyDirectory(place, before);
        else this.setAside(place, path, before);
        return true;
      });
    } catch (error) {
      if (hasErrno(error, ENOTEMPTY)) throw new InTheWay(path, "directory");
      throw hasErrno(error, EBUSY) ? new InTheWay(path, "mount") : error;
    }
  }

  /**
   * Renames what the image has at a place, so that it can be put back as it was, and removes it when all is done.
   * A rename keeps owner, times and attributes, which no copy would.
   */
  private setAside({ directory, parent, name }: OpenPlace, path: ContainerPath, before: Stat): void {
    const { system, undo } = this;
    const aside = this.asideOf(directory, path);
    const kept = aside.names.has(name) ? numbered(aside.names.size) : name;
    system.renameat(parent, name, aside.fd, kept);
    aside.names.add(kept);
    undo.add(() => {
      const isFree = system.statx(parent, name, AT_SYMLINK_NOFOLLOW) === undefined;
      // What could not be removed stays, and what was there before with it, for the next start to put back.
      if (isFree && isStill(system, aside.fd, kept, before)) system.renameat(aside.fd, kept, parent, name);
    });
    undo.onCommit(() => system.unlinkat(aside.fd, kept, 0));
  }

  /** Opens the directory for what is set aside of another one. */
  private asideOf(directory: Directory, path: ContainerPath): NonNullable<Directory["aside"]> {
    const { system, undo } = this;
    if (directory.aside !== undefined) return directory.aside;
    // One that could not be emptied, another start's, or something of the image under that name.
    if (!makeAside(system, directory.fd)) throw new InTheWay(path, "file");
    const remove = () => system.unlinkat(directory.fd, ASIDE, AT_REMOVEDIR);
    undo.add(remove);
    undo.onCommit(remove);
    const fd = system.openat(directory.fd, ASIDE, O_PATH | system.O_DIRECTORY | system.O_NOFOLLOW);
    directory.aside = { fd, names: new Set() };
    return directory.aside;
  }

  private removeEmptyDirectory({ parent, name }: Place, before: Stat): void {
    const { system } = this;
    system.unlinkat(parent, name, AT_REMOVEDIR);
    this.undo.add(() => {
      if (!system.mkdirat(parent, name, before.mode)) return;
      // mkdirat(2) leaves set-user-id and set-group-id out, and chmod(2) on a name would follow a link.
      const made = system.openat(parent, name, O_PATH | system.O_DIRECTORY | system.O_NOFOLLOW);
      system.fchownat(parent, name, before.uid, before.gid, AT_SYMLINK_NOFOLLOW);
      system.fchmodat(made, ".", before.mode);
      system.close(made);
    });
  }
}
