import { AT_EMPTY_PATH, O_NONBLOCK, O_PATH, O_RDONLY } from "../sys/constants.ts";
import { EAGAIN, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EXDEV } from "../sys/errno.ts";
import { CWD, type Fd } from "../sys/fd.ts";
import { readAll } from "../sys/linux-host.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";
import { mountId } from "./mount-table.ts";
import { type Resolver, resolver } from "./resolve.ts";
import { type MountIds, silentMounts } from "./silent-mounts.ts";

/** EXDEV: it lies in a mount that nothing is asked of. */
const ABSENT: readonly number[] = [ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EXDEV];
const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];

/**
 * Looks into a container's root without leaving it and without changing it. What is found there is an image's: it
 * informs, it never decides what is read on the host.
 */
export class RootView {
  readonly root: Fd;
  readonly resolver: Resolver;
  private readonly system: Syscalls;
  private readonly silent: MountIds;

  /**
   * @param root a descriptor of the root directory; O_PATH will do.
   * @param process see `silentMounts`.
   */
  constructor(system: Syscalls, root: Fd, process?: string) {
    this.system = system;
    this.root = root;
    this.silent = silentMounts(system, root, process);
    this.resolver = resolver(system, root, this.silent);
  }

  /** Whether a name in a directory is a mount that may never answer a question about itself. */
  isSilent(parent: Fd, name: string): boolean {
    if (this.silent.size === 0) return false;
    const fd = this.system.openatIfThere(parent, name, O_PATH | this.system.O_NOFOLLOW);
    if (fd === undefined) return false;
    const id = mountId(this.system, fd);
    this.system.close(fd);
    return this.silent.has(id);
  }

  /** Opens what is at the path; `undefined` when nothing is there. */
  open(path: string, flags: number): Fd | undefined {
    try {
      return this.resolver.open(path, flags);
    } catch (error) {
      if (error instanceof SystemError && ABSENT.includes(error.errno)) return undefined;
      throw error;
    }
  }

  /** Whether the path leads to a directory. */
  hasDirectory(path: string): boolean {
    const fd = this.open(path, O_PATH | this.system.O_DIRECTORY);
    if (fd !== undefined) this.system.close(fd);
    return fd !== undefined;
  }

  /** Whether the path leads to a regular file. */
  hasFile(path: string): boolean {
    const fd = this.open(path, O_PATH);
    if (fd === undefined) return false;
    const type = this.system.statx(fd, "", AT_EMPTY_PATH)?.type;
    this.system.close(fd);
    return type === "file";
  }

  /** Whether the path leads to a program of the kernel's own kind: no script, which would need an interpreter. */
  hasProgram(path: string): boolean {
    const file = this.openFile(path);
    if (file === undefined) return false;
    const head = new Uint8Array(ELF_MAGIC.length);
    this.system.read(file.fd, head);
    this.system.close(file.fd);
    return head.every((byte, index) => byte === ELF_MAGIC[index]);
  }

  /**
   * The content of a regular file of at most `limit` bytes; `undefined` for anything else, and for a file that another
   * process holds a lease on.
   */
  readFile(path: string, limit: number): Uint8Array | undefined {
    const file = this.openFile(path, limit);
    if (file === undefined) return undefined;
    try {
      return readAll(this.system, file.fd, file.size, limit);
    } finally {
      this.system.close(file.fd);
    }
  }

  private openFile(
    path: string,
    limit = Number.POSITIVE_INFINITY,
  ): { readonly fd: Fd; readonly size: number } | undefined {
    // Looked at before it is opened: opening a device can have effects, opening a FIFO can take forever.
    const seen = this.open(path, O_PATH);
    if (seen === undefined) return undefined;
    try {
      const stat = this.system.statx(seen, "", AT_EMPTY_PATH);
      if (stat?.type !== "file" || stat.size > limit) return undefined;
      // O_NONBLOCK: a lease of another container on a file in a common volume would hold us up for most of a minute.
      const fd = this.system.openat(CWD, `/proc/self/fd/${seen.number}`, O_RDONLY | O_NONBLOCK);
      return { fd, size: stat.size };
    } catch (error) {
      if (error instanceof SystemError && error.errno === EAGAIN) return undefined;
      throw error;
    } finally {
      this.system.close(seen);
    }
  }

  /** Names in a directory, `limit` of them at most; empty when there is none. */
  readDirectory(path: string, limit: number): string[] {
    const fd = this.open(path, O_RDONLY | this.system.O_DIRECTORY);
    if (fd === undefined) return [];
    try {
      return this.system.getdents64(fd, limit);
    } finally {
      this.system.close(fd);
    }
  }
}
