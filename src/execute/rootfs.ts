import { basename, type ContainerPath, containerPath, dirname, isWithin, join } from "../model/paths.ts";
import { AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW, O_PATH, S_IFREG } from "../sys/constants.ts";
import { EBUSY, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, ENOTEMPTY, EXDEV } from "../sys/errno.ts";
import { CWD, type Fd } from "../sys/fd.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";
import { RootView } from "./root-view.ts";
import type { Undo } from "./undo.ts";

/** A place in the container: an open directory and one name in it. */
export interface Place {
  readonly parent: Fd;
  readonly name: string;
}

/**
 * The container has something in the way that is not ours to remove: a directory with content, a file as parent, a
 * volume or another mount, or a mount that it shares with the host.
 */
export class InTheWay extends Error {
  readonly path: ContainerPath;
  readonly what: "directory" | "file" | "mount" | "shared mount";

  constructor(path: ContainerPath, what: InTheWay["what"]) {
    super(`${path}: ${what} in the way`);
    this.path = path;
    this.what = what;
  }
}

/** What is there can be no directory: a file, a device, links in a circle, or a link to a name that cannot be. */
const isBlocked = (error: unknown): boolean =>
  error instanceof SystemError && [ENOTDIR, ELOOP, ENAMETOOLONG].includes(error.errno);

/** What is there is mounted on: the kernel neither renames nor removes it. */
const isMountedOn = (error: unknown): boolean => error instanceof SystemError && error.errno === EBUSY;

/** Readable and searchable by all: a driver directory with less is of no use to a container's user. */
const DIRECTORY_MODE = 0o755;
const MAX_DANGLING_LINKS = 40;

const ASIDE = ".nvoci-";

/** Whether a name is one under which something of the image waits to be put back. */
export const isSetAside = (name: string): boolean => name.startsWith(ASIDE);

/**
 * A container's root directory, reached through descriptors only. Whatever it makes, it tells to the journal.
 *
 * Directories are opened once and kept: 300 entries lie in some 30 directories. A kept descriptor is also what
 * makes it safe: it stays the same directory whatever is done to the names that led to it.
 */
export class Rootfs {
  /** The same root, for reading. */
  readonly view: RootView;
  private readonly system: Syscalls;
  private readonly undo: Undo;
  private readonly directories = new Map<ContainerPath, Fd>();
  private setAsideCount = 0;

  /** @param root an O_PATH descriptor of the root directory, opened in the namespace to work in. */
  constructor(system: Syscalls, root: Fd, undo: Undo) {
    this.system = system;
    this.view = new RootView(system, root);
    this.undo = undo;
  }

  /** The directory and name of a path whose parents are made if need be. @throws InTheWay: a file, a silent mount. */
  place(path: ContainerPath): Place {
    const parent = this.makeDirectories(dirname(path));
    const name = basename(path);
    if (this.view.isSilent(parent, name)) throw new InTheWay(path, "mount");
    return { parent, name };
  }

  /** Opens a directory, made with its parents where it is missing. The descriptor stays the rootfs' own. */
  makeDirectories(path: ContainerPath, danglingLinks = 0): Fd {
    // A loop, because an image's link can ask for two thousand directories.
    const missing: ContainerPath[] = [];
    let existing = path;
    let fd = this.openDirectory(existing);
    while (fd === undefined) {
      missing.push(existing);
      existing = dirname(existing);
      fd = this.openDirectory(existing);
    }
    for (let next = missing.pop(); next !== undefined; next = missing.pop()) {
      fd = this.makeDirectory(fd, next, danglingLinks);
    }
    return fd;
  }

  /** @returns `undefined` when there is no such directory. */
  private openDirectory(path: ContainerPath): Fd | undefined {
    const kept = this.directories.get(path);
    if (kept !== undefined) return kept;
    try {
      const fd = this.view.resolver.open(path, O_PATH | this.system.O_DIRECTORY);
      this.directories.set(path, fd);
      return fd;
    } catch (error) {
      if (isBlocked(error)) throw new InTheWay(path, "file");
      if (error instanceof SystemError && error.errno === EXDEV) throw new InTheWay(path, "mount");
      if (!(error instanceof SystemError) || error.errno !== ENOENT || path === "/") throw error;
      return undefined;
    }
  }

  private makeDirectory(parent: Fd, path: ContainerPath, danglingLinks: number): Fd {
    const name = basename(path);
    if (this.system.mkdirat(parent, name, DIRECTORY_MODE)) {
      this.undo.add(() => this.system.unlinkat(parent, name, AT_REMOVEDIR));
    } else {
      // The name is there and leads nowhere: a dangling link of the image. What it points to is made, in the root.
      const target = this.system.readlinkat(parent, name);
      if (target === undefined || danglingLinks >= MAX_DANGLING_LINKS) throw new InTheWay(path, "file");
      this.makeDirectories(containerPath(join(this.pathOf(parent), target)), danglingLinks + 1);
    }
    const made = this.openDirectory(path);
    // Links within a link's text can lead elsewhere than the text says.
    if (made === undefined) throw new InTheWay(path, "file");
    return made;
  }

  /** Where a directory is, as the container will see it. Only ever used to look up again, inside the root. */
  private pathOf(directory: Fd): string {
    const root = this.system.readlinkat(CWD, `/proc/self/fd/${this.view.root.number}`) ?? "";
    const path = this.system.readlinkat(CWD, `/proc/self/fd/${directory.number}`) ?? "";
    return isWithin(path, root) ? path.slice(root === "/" ? 0 : root.length) || "/" : "/";
  }

  /**
   * Makes sure that something other than a directory or a link is at the place, to be mounted upon.
   *
   * @throws InTheWay for a directory with content, or one that is mounted there.
   */
  placeholder(path: ContainerPath, mode: number): Place {
    const place = this.place(path);
    if (this.makeFile(place, mode)) return place;
    const type = this.typeAt(place);
    if (type === "directory") this.removeEmptyDirectory(place, path);
    else if (type === "symlink") this.setAside(place, path);
    else if (type !== undefined) return place;
    this.makeFile(place, mode);
    return place;
  }

  private makeFile({ parent, name }: Place, mode: number): boolean {
    if (!this.system.mknodat(parent, name, S_IFREG | mode)) return false;
    this.undo.add(() => this.remove(parent, name));
    return true;
  }

  /**
   * Makes sure that a directory is at the place, to be mounted upon; a link or file there is set aside.
   *
   * @throws InTheWay for a file that is mounted there.
   */
  directoryPlaceholder(path: ContainerPath): Place {
    const place = this.place(path);
    const make = (): boolean => {
      if (!this.system.mkdirat(place.parent, place.name, DIRECTORY_MODE)) return false;
      this.undo.add(() => this.system.unlinkat(place.parent, place.name, AT_REMOVEDIR));
      return true;
    };
    if (make() || this.typeAt(place) === "directory") return place;
    this.setAside(place, path);
    make();
    return place;
  }

  /**
   * Makes a link. One with the same text is left alone; any other file there is set aside.
   *
   * @throws InTheWay for a directory with content, and for whatever is mounted there.
   */
  makeLink(path: ContainerPath, target: string): void {
    const place = this.place(path);
    const { parent, name } = place;
    const make = (): boolean => {
      if (!this.system.symlinkat(target, parent, name)) return false;
      this.undo.add(() => this.remove(parent, name));
      return true;
    };
    if (make() || this.system.readlinkat(parent, name) === target) return;
    if (this.typeAt(place) === "directory") this.removeEmptyDirectory(place, path);
    else this.setAside(place, path);
    make();
  }

  /** Unlinks what we made, unless it has gone already. */
  private remove(parent: Fd, name: string): void {
    if (this.typeAt({ parent, name }) !== undefined) this.system.unlinkat(parent, name, 0);
  }

  private typeAt({ parent, name }: Place) {
    return this.system.statx(parent, name, AT_SYMLINK_NOFOLLOW)?.type;
  }

  /**
   * Renames what the image has at a place, so that it can be put back as it was, and removes it when all is done.
   * A rename keeps owner, times and attributes, which no copy would.
   */
  private setAside({ parent, name }: Place, path: ContainerPath): void {
    const aside = `${ASIDE}${this.system.getpid()}-${this.setAsideCount++}`;
    try {
      this.system.renameat(parent, name, parent, aside);
    } catch (error) {
      throw isMountedOn(error) ? new InTheWay(path, "mount") : error;
    }
    this.undo.add(() => this.system.renameat(parent, aside, parent, name));
    this.undo.onCommit(() => this.system.unlinkat(parent, aside, 0));
  }

  /**
   * Sets aside what the image has at a path, for a finished file to take its place. Not for directories.
   *
   * @throws InTheWay for whatever is mounted there.
   */
  clear(path: ContainerPath): Place {
    const place = this.place(path);
    if (this.typeAt(place) !== undefined) this.setAside(place, path);
    return place;
  }

  private removeEmptyDirectory({ parent, name }: Place, path: ContainerPath): void {
    const before = this.system.statx(parent, name, AT_SYMLINK_NOFOLLOW);
    try {
      this.system.unlinkat(parent, name, AT_REMOVEDIR);
    } catch (error) {
      if (error instanceof SystemError && error.errno === ENOTEMPTY) throw new InTheWay(path, "directory");
      throw isMountedOn(error) ? new InTheWay(path, "mount") : error;
    }
    if (before === undefined) return;
    this.undo.add(() => {
      this.system.mkdirat(parent, name, before.mode);
      this.system.fchownat(parent, name, before.uid, before.gid, AT_SYMLINK_NOFOLLOW);
      // mkdirat(2) leaves set-user-id and set-group-id out, and chmod(2) on a name would follow a link.
      const made = this.system.openat(
        parent,
        name,
        O_PATH | this.system.O_DIRECTORY | this.system.O_NOFOLLOW,
      );
      this.system.fchmodat(made, ".", before.mode);
      this.system.close(made);
    });
  }
}
