import { basename, type ContainerPath, dirname } from "../model/paths.ts";
import { AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW, O_PATH, S_IFREG } from "../sys/constants.ts";
import { EACCES, EBUSY, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, ENOTEMPTY } from "../sys/errno.ts";
import type { Fd } from "../sys/fd.ts";
import type { Stat, Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";
import { ASIDE, findAside, isStill, makeAside, numbered, putBack } from "./asides.ts";
import type { ContainerMounts, MountKind } from "./container-mounts.ts";
import { newSteps, walk } from "./resolve.ts";
import { RootView } from "./root-view.ts";
import type { Undo } from "./undo.ts";

/** A place in the container: an open directory and one name in it. */
export interface Place {
  readonly parent: Fd;
  readonly name: string;
}

/**
 * The container has something in the way that is not ours to remove: a directory with content, a file as parent, a
 * volume or another mount, a mount that it shares with the host, or no right of its root's to make the place.
 */
export class InTheWay extends Error {
  readonly path: ContainerPath;
  readonly what: "directory" | "file" | "mount" | "shared mount" | "volume" | "permission";

  constructor(path: ContainerPath, what: InTheWay["what"]) {
    super(`${path}: ${what} in the way`);
    this.path = path;
    this.what = what;
  }
}

/** A directory that is kept open, and what it is on. */
interface Directory extends MountKind {
  readonly fd: Fd;
  /** Where what was in the way waits, and under which names; made when the first thing is set aside. */
  aside?: { readonly fd: Fd; readonly names: Set<string> };
}

interface OpenPlace extends Place {
  readonly directory: Directory;
}

/** What is there can be no directory: a file, a device, links in a circle, or a link to a name that cannot be. */
const isBlocked = (error: unknown): boolean =>
  error instanceof SystemError && [ENOTDIR, ELOOP, ENAMETOOLONG].includes(error.errno);

const hasErrno = (error: unknown, errno: number): boolean =>
  error instanceof SystemError && error.errno === errno;

/** Readable and searchable by all: a driver directory with less is of no use to a container's user. */
const DIRECTORY_MODE = 0o755;
/** New directories that one path can need, and those that an image's links can ask for in all. */
const MAX_NEW_DIRECTORIES = 64;
const MAX_LINKED_DIRECTORIES = 512;

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
  private readonly directories = new Map<ContainerPath, Directory | InTheWay>();
  private readonly steps = newSteps();
  private linkedDirectories = 0;

  /**
   * @param root an O_PATH descriptor of the root directory, opened in the namespace to work in.
   * @param alone whether no other start works on the same root, see `lockRoot`. If not, files and directories stay
   * when everything is taken back: another container can have mounted something upon them, which would go with them.
   */
  constructor(system: Syscalls, root: Fd, undo: Undo, mounts: ContainerMounts, alone: boolean) {
    this.system = system;
    this.view = new RootView(system, root);
    this.undo = undo;
    this.mounts = mounts;
    this.alone = alone;
  }

  /** Whether an open directory is on a mount of the container's own, where names may be made and removed. */
  isOwn(directory: Fd): boolean {
    return this.mounts.kindOf(directory).own;
  }

  /** The directory and name of a path whose parents are made if need be. */
  place(path: ContainerPath): Place {
    return this.openPlace(path);
  }

  private openPlace(path: ContainerPath): OpenPlace {
    const directory = this.directory(dirname(path));
    return { directory, parent: directory.fd, name: basename(path) };
  }

  /** Opens a directory, made with its parents where it is missing. The descriptor stays the rootfs' own. */
  makeDirectories(path: ContainerPath): Fd {
    return this.directory(path).fd;
  }

  private directory(path: ContainerPath): Directory {
    const known = this.known(path);
    if (known !== undefined) return known;
    try {
      return this.lookUp(path) ?? this.makeMissing(path);
    } catch (error) {
      // A hundred entries can have the same directory.
      if (error instanceof InTheWay) this.directories.set(path, error);
      throw error;
    }
  }

  private known(path: ContainerPath): Directory | undefined {
    const known = this.directories.get(path);
    if (known instanceof InTheWay) throw known;
    return known;
  }

  /** @returns `undefined` when there is no such directory. */
  private lookUp(path: ContainerPath): Directory | undefined {
    const known = this.known(path);
    if (known !== undefined) return known;
    try {
      return this.keep(path, this.view.resolver.open(path, O_PATH | this.system.O_DIRECTORY));
    } catch (error) {
      if (isBlocked(error)) throw new InTheWay(path, "file");
      if (hasErrno(error, EACCES)) throw new InTheWay(path, "permission");
      if (!hasErrno(error, ENOENT) || path === "/") throw error;
      return undefined;
    }
  }

  private keep(path: ContainerPath, fd: Fd): Directory {
    const { own, shared } = this.mounts.kindOf(fd);
    const directory: Directory = { fd, own, shared };
    this.directories.set(path, directory);
    if (own && this.alone) this.tidyUp(fd);
    return directory;
  }

  /** Puts back what a hook that was killed has set aside. A directory without costs one look-up. */
  private tidyUp(directory: Fd): void {
    const aside = findAside(this.system, directory);
    if (aside === undefined) return;
    if (this.isOwn(aside)) putBack(this.system, directory, aside);
    this.system.close(aside);
  }

  private makeMissing(path: ContainerPath): Directory {
    const missing: ContainerPath[] = [];
    let existing = path;
    let directory: Directory | undefined;
    do {
      if (missing.push(existing) > MAX_NEW_DIRECTORIES) throw new InTheWay(path, "file");
      existing = dirname(existing);
      directory = this.lookUp(existing);
    } while (directory === undefined);
    for (let next = missing.pop(); next !== undefined; next = missing.pop()) {
      const fd =
        (directory.own ? this.makeDirectory(directory.fd, basename(next), path) : undefined) ??
        this.makeThroughLinks(next);
      directory = this.keep(next, fd);
    }
    return directory;
  }

  /** @returns the new directory, or `undefined` when the name exists. */
  private makeDirectory(parent: Fd, name: string, path: ContainerPath): Fd | undefined {
    const { system } = this;
    if (!this.make(path, () => system.mkdirat(parent, name, DIRECTORY_MODE))) return undefined;
    const fd = system.openat(parent, name, O_PATH | system.O_DIRECTORY | system.O_NOFOLLOW);
    this.removeOnUndo(parent, name, AT_REMOVEDIR);
    return fd;
  }

  /**
   * Opens a directory whose name is there and leads nowhere: a dangling link of the image, to another perhaps. What it
   * points to is made, inside the root and on mounts of its own.
   */
  private makeThroughLinks(path: ContainerPath): Fd {
    const { system, undo, view } = this;
    const position = undo.position();
    let made = 0;
    const make = (directory: Fd, name: string): void => {
      if (!this.isOwn(directory)) throw new InTheWay(path, "volume");
      if (++made > MAX_NEW_DIRECTORIES || ++this.linkedDirectories > MAX_LINKED_DIRECTORIES) {
        throw new InTheWay(path, "file");
      }
      // The walk closes its own.
      const fd = this.makeDirectory(system.dup(directory), name, path);
      if (fd !== undefined) system.close(fd);
    };
    try {
      return walk(system, view.root, path, O_PATH | system.O_DIRECTORY, this.steps, make);
    } catch (error) {
      undo.rollBack(position);
      throw isBlocked(error) || hasErrno(error, ENOENT) ? new InTheWay(path, "file") : error;
    }
  }

  /**
   * Makes sure that something other than a directory or a link is at the place, to be mounted upon.
   *
   * @throws InTheWay for a directory with content, what the user has mounted there, and a volume that lacks the place.
   */
  placeholder(path: ContainerPath, mode: number): Place {
    const place = this.placeToMount(path);
    if (place.directory.own && this.makeFile(place, path, mode)) return place;
    const type = this.typeAt(place);
    if (type !== undefined && type !== "directory" && type !== "symlink") return place;
    this.clearAway(place, path);
    this.makeFile(place, path, mode);
    return place;
  }

  private makeFile({ parent, name }: OpenPlace, path: ContainerPath, mode: number): boolean {
    if (!this.make(path, () => this.system.mknodat(parent, name, S_IFREG | mode))) return false;
    this.removeOnUndo(parent, name, 0);
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
      if (!this.make(path, () => system.mkdirat(parent, name, DIRECTORY_MODE))) return false;
      this.removeOnUndo(parent, name, AT_REMOVEDIR);
      return true;
    };
    if ((directory.own && make()) || this.typeAt(place) === "directory") return place;
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
      if (!this.make(path, () => system.symlinkat(target, parent, name))) return false;
      this.removeOnUndo(parent, name, 0);
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
    if (!place.directory.own || this.typeAt(place) !== undefined) this.clearAway(place, path);
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

  /** Makes something; what the container's root may not make is in the way. @returns `false` when the name exists. */
  private make(path: ContainerPath, action: () => boolean): boolean {
    try {
      return action();
    } catch (error) {
      throw hasErrno(error, EACCES) ? new InTheWay(path, "permission") : error;
    }
  }

  /**
   * Removes what we have just made when everything is taken back, if its name is still that very object, and if no
   * other container can have mounted anything upon it: removing a name detaches what is mounted there, everywhere.
   */
  private removeOnUndo(parent: Fd, name: string, flags: number): void {
    const { system, alone } = this;
    const made = system.statx(parent, name, AT_SYMLINK_NOFOLLOW);
    this.undo.add(() => {
      const removable = alone || made?.type === "symlink";
      if (removable && isStill(system, parent, name, made)) system.unlinkat(parent, name, flags);
    });
  }

  private typeAt({ parent, name }: Place) {
    return this.system.statx(parent, name, AT_SYMLINK_NOFOLLOW)?.type;
  }

  /** Empties a place that holds something else than what goes there. */
  private clearAway(place: OpenPlace, path: ContainerPath): void {
    const { directory, parent, name } = place;
    const before = this.system.statx(parent, name, AT_SYMLINK_NOFOLLOW);
    if (before?.type !== "directory" || !directory.own) {
      if (this.mounts.mountedOn(parent, name) !== undefined) throw new InTheWay(path, "mount");
      if (!directory.own) throw new InTheWay(path, "volume");
    }
    if (before === undefined) return;
    try {
      this.make(path, () => {
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
    const fd = makeAside(system, directory.fd);
    // One that could not be emptied, another start's, or something of the image under that name.
    if (fd === undefined) throw new InTheWay(path, "file");
    const remove = () => system.unlinkat(directory.fd, ASIDE, AT_REMOVEDIR);
    undo.add(remove);
    undo.onCommit(remove);
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
