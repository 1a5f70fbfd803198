import { basename, type ContainerPath, dirname } from "../../model/paths.ts";
import { AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW, O_PATH } from "../../sys/constants.ts";
import { EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EXDEV } from "../../sys/errno.ts";
import type { Fd, Syscalls } from "../../sys/syscalls.ts";
import { SystemError } from "../../sys/system-error.ts";
import type { ContainerMounts, MountKind } from "../mount/container-mounts.ts";
import type { Undo } from "../undo.ts";
import { ASIDE, findAside, hasErrno, InTheWay, isStill, orInTheWay, type Place, putBack } from "./asides.ts";
import { newSteps, type Resolver, type Steps, walk } from "./resolve.ts";

/** A directory that is kept open, and what it is on. */
export interface Directory extends MountKind {
  readonly fd: Fd;
  /** Where what was in the way waits, and under which names; made when the first thing is set aside. */
  aside?: { readonly fd: Fd; readonly names: Set<string> };
}

/** What is there can be no directory: a file, a device, links in a circle, or a link to a name that cannot be. */
const isBlocked = (error: unknown): boolean =>
  error instanceof SystemError && [ENOTDIR, ELOOP, ENAMETOOLONG].includes(error.errno);

/** Readable and searchable by all: a driver directory with less is of no use to a container's user. */
export const DIRECTORY_MODE = 0o755;
/** New directories that one path can need, and those that an image's links can ask for in all. */
const MAX_NEW_DIRECTORIES = 64;
const MAX_LINKED_DIRECTORIES = 512;

/** What the directories of one start have in common. */
interface DirectoryContext {
  readonly system: Syscalls;
  /** An O_PATH descriptor of the root directory. */
  readonly root: Fd;
  readonly resolver: Resolver;
  readonly undo: Undo;
  readonly mounts: ContainerMounts;
  /** Whether no other start works on the same root, see `lockRoot`. */
  readonly alone: boolean;
}

/** The directories of a container that are worked in, each opened once and made where it is missing. */
export class OpenDirectories {
  private readonly system: Syscalls;
  private readonly root: Fd;
  private readonly resolver: Resolver;
  private readonly undo: Undo;
  private readonly mounts: ContainerMounts;
  private readonly alone: boolean;
  private readonly directories = new Map<ContainerPath, Directory | InTheWay>();
  private readonly steps: Steps;
  private linkedDirectories = 0;

  constructor({ system, root, resolver, undo, mounts, alone }: DirectoryContext) {
    this.system = system;
    this.root = root;
    this.resolver = resolver;
    this.undo = undo;
    this.mounts = mounts;
    this.alone = alone;
    this.steps = newSteps(mounts.silent);
  }

  /** Opens a directory, made with its parents where it is missing. The descriptor stays open. */
  open(path: ContainerPath): Directory {
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
      return this.keep(path, this.resolver.open(path, O_PATH | this.system.O_DIRECTORY));
    } catch (error) {
      if (isBlocked(error)) throw new InTheWay(path, "file");
      if (hasErrno(error, EACCES)) throw new InTheWay(path, "permission");
      if (hasErrno(error, EXDEV)) throw new InTheWay(path, "mount");
      if (!hasErrno(error, ENOENT) || path === "/") throw error;
      return undefined;
    }
  }

  private keep(path: ContainerPath, fd: Fd): Directory {
    const directory: Directory = { fd, ...this.mounts.kindOf(fd) };
    this.directories.set(path, directory);
    if (directory.own && this.alone) this.tidyUp(fd);
    return directory;
  }

  /** Puts back what a hook that was killed has set aside. A directory without costs one look-up. */
  private tidyUp(directory: Fd): void {
    if (this.mounts.mountedOn(directory, ASIDE) !== undefined) return;
    const aside = findAside(this.system, directory);
    if (aside === undefined) return;
    if (this.mounts.kindOf(aside).own) putBack(this.system, directory, aside);
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
    if (!orInTheWay(path, () => system.mkdirat(parent, name, DIRECTORY_MODE))) return undefined;
    this.removeOnUndo({ parent, name });
    return system.openat(parent, name, O_PATH | system.O_DIRECTORY | system.O_NOFOLLOW);
  }

  /**
   * Opens a directory whose name is there and leads nowhere: a dangling link of the image, to another perhaps. What it
   * points to is made, inside the root and on mounts of its own.
   */
  private makeThroughLinks(path: ContainerPath): Fd {
    const { system, undo } = this;
    const position = undo.position();
    let made = 0;
    const make = (directory: Fd, name: string): void => {
      if (!this.mounts.kindOf(directory).own) throw new InTheWay(path, "volume");
      if (++made > MAX_NEW_DIRECTORIES || ++this.linkedDirectories > MAX_LINKED_DIRECTORIES) {
        throw new InTheWay(path, "file");
      }
      // The walk closes its own.
      const fd = this.makeDirectory(system.dup(directory), name, path);
      if (fd !== undefined) system.close(fd);
    };
    try {
      return walk(system, this.root, path, O_PATH | system.O_DIRECTORY, this.steps, make);
    } catch (error) {
      undo.rollBack(position);
      if (hasErrno(error, EXDEV)) throw new InTheWay(path, "mount");
      throw isBlocked(error) || hasErrno(error, ENOENT) ? new InTheWay(path, "file") : error;
    }
  }

  /**
   * Removes a directory that we have just made when everything is taken back: if its name is still that inode, and no
   * other container can have mounted anything upon it, because removing a name detaches what is mounted there, everywhere.
   */
  removeOnUndo({ parent, name }: Place): void {
    const { system, alone } = this;
    let made: ReturnType<Syscalls["statx"]>;
    let isSeen = false;
    // Before it is looked at: where that fails, the directory is taken back too, with nobody having used it.
    this.undo.add(() => {
      if (alone && (!isSeen || isStill(system, parent, name, made)))
        system.unlinkat(parent, name, AT_REMOVEDIR);
    });
    made = system.statx(parent, name, AT_SYMLINK_NOFOLLOW);
    isSeen = true;
  }
}
