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
 * A container's root directory, accessed only through descriptors. Everything it creates is recorded in the undo
 * list.
 *
 * Each directory is opened once and stays open: 300 entries are in about 30 directories. This also makes it safe:
 * a descriptor refers to the same directory, on the same mount, whatever happens to the names that led to it.
 * Names are made, renamed and removed only in directories on the container's own mounts (see `ContainerMounts`),
 * whichever links led there. Elsewhere nvoci only mounts on what exists.
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
   * @param alone whether no other start works on the same root; see `lockRoot`. If not, new files and directories
   * stay on undo: another container may have mounted something on them, and removing them would detach it.
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

  /** Reports whether an open directory is on the container's own mount, where names may be made and removed. */
  isOwn(directory: Fd): boolean {
    return this.mounts.kindOf(directory).own;
  }

  /**
   * Returns the open directory and the name of a path. Makes missing parents.
   *
   * @throws {InTheWay} when the path is a silent mount: not even its type may be requested.
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

  /** Opens a directory, and makes it and its parents if they are missing. The caller must not close it. */
  makeDirectories(path: ContainerPath): Fd {
    return this.directories.open(path).fd;
  }

  /**
   * Ensures that the path is a mount point for a file: neither a directory nor a link.
   *
   * @throws {InTheWay} when the path is a directory with content, is a mount, or is missing in a volume.
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
   * Ensures that the path is a directory to mount on. Sets a link or a file aside.
   *
   * @throws {InTheWay} when the path is a mount, or is missing in a volume.
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
   * Makes a symbolic link. Keeps an existing link with the same target, and sets any other file aside.
   *
   * @throws {InTheWay} when the path is a directory with content, is a mount, or is in a volume without that link.
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
   * Sets aside what the image has at a path, so that a finished file can be renamed to it. Not for directories.
   *
   * @throws {InTheWay} when the path is a mount, or is in a volume.
   */
  clear(path: ContainerPath): Place {
    const place = this.openPlace(path);
    if (!place.directory.own || this.statAt(place) !== undefined) this.clearAway(place, path);
    return place;
  }

  /** Returns a place to mount on: not shared with the host, and not a mount point already. */
  private placeToMount(path: ContainerPath): OpenPlace {
    const place = this.openPlace(path);
    const mounted = this.mounts.mountedOn(place.parent, place.name);
    if ((mounted ?? place.directory).shared) throw new InTheWay(path, "shared mount");
    if (mounted !== undefined) throw new InTheWay(path, "mount");
    return place;
  }

  /**
   * On undo, removes what was just made. It does so only if the name is still ours, and if no other container can
   * have mounted anything on it: removing a name detaches the mounts on it in every namespace.
   *
   * A directory is recognized by its inode. A file or a link is recognized by its content: empty, or the same
   * target. Requesting the inodes would be an eighth of all calls of a start. A placeholder was a mount point
   * until just before its undo, so its name cannot refer to anything else.
   */
  private removeOnUndo(place: Place, flags: number, isStillOurs: () => boolean): void {
    this.undo.add(() => {
      if (isStillOurs()) this.system.unlinkat(place.parent, place.name, flags);
    });
  }

  private statAt({ parent, name }: Place): Stat | undefined {
    return this.system.statx(parent, name, AT_SYMLINK_NOFOLLOW);
  }

  /** Clears a place that has the wrong type of file. */
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
   * Renames what the image has at a place, so that it can be put back as it was. Removes it when everything
   * succeeded. A rename keeps owner, times and attributes; a copy would not.
   */
  private setAside({ directory, parent, name }: OpenPlace, path: ContainerPath, before: Stat): void {
    const { system, undo } = this;
    const aside = this.asideOf(directory, path);
    const kept = aside.names.has(name) ? numbered(aside.names.size) : name;
    system.renameat(parent, name, aside.fd, kept);
    aside.names.add(kept);
    undo.add(() => {
      const isFree = system.statx(parent, name, AT_SYMLINK_NOFOLLOW) === undefined;
      // If ours could not be removed, both files stay; the next start puts the image's back.
      if (isFree && isStill(system, aside.fd, kept, before)) system.renameat(aside.fd, kept, parent, name);
    });
    undo.onCommit(() => system.unlinkat(aside.fd, kept, 0));
  }

  /** Opens the directory for what is set aside in `directory`, and makes it if needed. */
  private asideOf(directory: Directory, path: ContainerPath): NonNullable<Directory["aside"]> {
    const { system, undo } = this;
    if (directory.aside !== undefined) return directory.aside;
    // The name exists: a directory that could not be emptied, another start's, or a file of the image.
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
      // mkdirat(2) drops set-user-ID and set-group-ID, and chmod(2) on a name would follow a link.
      const made = system.openat(parent, name, O_PATH | system.O_DIRECTORY | system.O_NOFOLLOW);
      system.fchownat(parent, name, before.uid, before.gid, AT_SYMLINK_NOFOLLOW);
      system.fchmodat(made, ".", before.mode);
      system.close(made);
    });
  }
}
