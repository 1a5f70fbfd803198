import { basename, type ContainerPath, dirname } from "../../model/paths.ts";
import { AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW, O_PATH } from "../../sys/constants.ts";
import { EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EXDEV } from "../../sys/errno.ts";
import type { Fd, Syscalls } from "../../sys/syscalls.ts";
import { SystemError } from "../../sys/system-error.ts";
import type { ContainerMounts, MountKind } from "../mount/container-mounts.ts";
import type { Undo } from "../undo.ts";
import { ASIDE, findAside, hasErrno, InTheWay, isStill, orInTheWay, type Place, putBack } from "./asides.ts";
import { newSteps, type Resolver, type Steps, walk } from "./resolve.ts";

/** A directory that stays open, and its kind of mount. */
export interface Directory extends MountKind {
  readonly fd: Fd;
  /** The directory for what is set aside, and the names in it. It is made when the first file is set aside. */
  aside?: { readonly fd: Fd; readonly names: Set<string> };
}

/** Something other than a directory: a file, a device, a symlink loop, or a link with an impossible target. */
const isBlocked = (error: unknown): boolean =>
  error instanceof SystemError && [ENOTDIR, ELOOP, ENAMETOOLONG].includes(error.errno);

/** Readable and searchable by all, because the container's user needs the driver directories. */
export const DIRECTORY_MODE = 0o755;
/** Bound new directories: for one path, and for all of an image's dangling links together. */
const MAX_NEW_DIRECTORIES = 64;
const MAX_LINKED_DIRECTORIES = 512;

/** What all directories of one start share. */
interface DirectoryContext {
  readonly system: Syscalls;
  /** An O_PATH descriptor of the root directory. */
  readonly root: Fd;
  readonly resolver: Resolver;
  readonly undo: Undo;
  readonly mounts: ContainerMounts;
  /** Whether no other start works on the same root; see `lockRoot`. */
  readonly alone: boolean;
}

/** The directories of a container that nvoci works in. Each is opened once, and made if it is missing. */
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

  /**
   * Opens a directory, and makes it and its parents if they are missing. The descriptor stays open.
   *
   * @throws {InTheWay} when something is in the way of a directory on the path.
   */
  open(path: ContainerPath): Directory {
    const known = this.known(path);
    if (known !== undefined) return known;
    try {
      return this.lookUp(path) ?? this.makeMissing(path);
    } catch (error) {
      // Hundreds of entries can be in the same directory.
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

  /** Puts back what a killed hook has set aside. Costs one look-up where there is nothing. */
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
   * Opens a directory whose name is a dangling link of the image, or a chain of them. Makes the target, inside the
   * root and on the container's own mounts.
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
      // The walk closes its own descriptor.
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
   * On undo, removes a directory that was just made. It does so only if the name is still that inode, and if no
   * other container can have mounted anything on it: removing a name detaches the mounts on it in every namespace.
   */
  removeOnUndo({ parent, name }: Place): void {
    const { system, alone } = this;
    let made: ReturnType<Syscalls["statx"]>;
    let isSeen = false;
    // Added before statx(2): if that fails, the directory is unused and is removed too.
    this.undo.add(() => {
      if (alone && (!isSeen || isStill(system, parent, name, made)))
        system.unlinkat(parent, name, AT_REMOVEDIR);
    });
    made = system.statx(parent, name, AT_SYMLINK_NOFOLLOW);
    isSeen = true;
  }
}
