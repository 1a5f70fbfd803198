import { NvociError } from "../model/errors.ts";
import type { FileType } from "../model/host-view.ts";
import type { ImageView } from "../model/image-view.ts";
import type { HostPath } from "../model/paths.ts";
import { quote } from "../model/quote.ts";
import { AT_EMPTY_PATH, O_NONBLOCK, O_PATH, O_RDONLY } from "../sys/constants.ts";
import { EAGAIN, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR } from "../sys/errno.ts";
import { CWD, type Fd } from "../sys/fd.ts";
import { readAll } from "../sys/linux-host.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";
import { type Resolver, resolver } from "./resolve.ts";

/**
 * Opens a container's root to look into it.
 *
 * @param root the root directory as the container sees it: through `/proc/PID/root` for a live one. It stays open: what
 * is asked later is asked of the same directory.
 * @throws NvociError "spec-invalid" when there is no such directory.
 */
export function openImage(system: Syscalls, root: HostPath): ImageView {
  try {
    return new RootView(system, system.openat(CWD, root, O_PATH | system.O_DIRECTORY));
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const message = `Cannot open the container's root ${quote(root, 4096)}: ${error.reason}`;
    throw new NvociError("spec-invalid", message, [error.call]);
  }
}

/**
 * Looks into a container's root without leaving it and without changing it. What is found there is an image's: it
 * informs, it never decides what is read on the host.
 */
export class RootView implements ImageView {
  readonly root: Fd;
  readonly resolver: Resolver;
  private readonly system: Syscalls;

  /** @param root a descriptor of the root directory; O_PATH will do. */
  constructor(system: Syscalls, root: Fd) {
    this.system = system;
    this.root = root;
    this.resolver = resolver(system, root);
  }

  /** Opens what is at the path; `undefined` when nothing is there. */
  open(path: string, flags: number): Fd | undefined {
    try {
      return this.resolver.open(path, flags);
    } catch (error) {
      if (error instanceof SystemError && [ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG].includes(error.errno))
        return undefined;
      throw error;
    }
  }

  /** Whether the path leads to a directory. */
  hasDirectory(path: string): boolean {
    const fd = this.open(path, O_PATH | this.system.O_DIRECTORY);
    if (fd !== undefined) this.system.close(fd);
    return fd !== undefined;
  }

  type(path: string, link: "follow" | "itself" = "follow"): FileType | undefined {
    return this.stat(path, link === "itself" ? O_PATH | this.system.O_NOFOLLOW : O_PATH)?.type;
  }

  identity(path: string): string | undefined {
    const stat = this.stat(path, O_PATH);
    return stat && `${stat.device} ${stat.inode}`;
  }

  readRange(path: string, offset: number, length: number): Uint8Array | undefined {
    const file = this.openFile(path);
    if (file === undefined) return undefined;
    try {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, this.system.pread64(file.fd, bytes, offset));
    } finally {
      this.system.close(file.fd);
    }
  }

  private stat(path: string, flags: number): ReturnType<Syscalls["statx"]> {
    const fd = this.open(path, flags);
    if (fd === undefined) return undefined;
    try {
      return this.system.statx(fd, "", AT_EMPTY_PATH);
    } finally {
      this.system.close(fd);
    }
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
