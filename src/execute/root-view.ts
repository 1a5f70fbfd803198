import type { Budget } from "../model/budget.ts";
import {
  AT_EMPTY_PATH,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  PROC_SUPER_MAGIC,
  SELINUX_MAGIC,
} from "../sys/constants.ts";
import { EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EXDEV } from "../sys/errno.ts";
import { CWD, type Fd } from "../sys/fd.ts";
import { processBudget } from "../sys/process-budget.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";
import type { MountIds } from "./container-mounts.ts";
import { type Resolver, resolver } from "./resolve.ts";

/** EXDEV: on a silent mount. */
const UNREACHABLE = [EACCES, ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EXDEV];
const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];

/**
 * File systems whose files are the kernel's answers, by the number that statfs(2) tells. Reading one can have effects
 * (/proc/kmsg takes the host's log away), can wait, and says nothing about an image.
 *
 * @see include/uapi/linux/magic.h in the Linux source
 */
const KERNEL_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  PROC_SUPER_MAGIC,
  0x62656572, // sysfs
  0x64626720, // debugfs
  0x74726163, // tracefs
  0x73636673, // securityfs
  0x62656570, // configfs
  SELINUX_MAGIC,
  0x27e0eb, // cgroup
  0x63677270, // cgroup2
  0xcafe4a11, // bpf
  0x6165676c, // pstore
  0xde5e81e4, // efivarfs
  0x42494e4d, // binfmt_misc
  0x19800202, // mqueue
]);

/**
 * Looks into a container's root without leaving it and without changing it. What is found there is an image's: it
 * informs, it never decides what is read on the host.
 */
export class RootView {
  readonly root: Fd;
  readonly resolver: Resolver;
  private readonly system: Syscalls;

  /**
   * @param root a descriptor of the root directory; O_PATH will do.
   * @param silent mounts that nothing is asked of.
   */
  constructor(system: Syscalls, root: Fd, silent?: MountIds) {
    this.system = system;
    this.root = root;
    this.resolver = resolver(system, root, silent);
  }

  /** What the work on the image may cost: this process' budget. */
  get budget(): Budget {
    return processBudget(this.system);
  }

  /** Opens what is at the path; `undefined` when nothing is there that the container's root may reach. */
  open(path: string, flags: number): Fd | undefined {
    try {
      return this.resolver.open(path, flags);
    } catch (error) {
      if (error instanceof SystemError && UNREACHABLE.includes(error.errno)) return undefined;
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
    const head = this.readFile(path, ELF_MAGIC.length);
    return ELF_MAGIC.every((byte, index) => byte === head?.[index]);
  }

  /**
   * The first `limit` bytes of a regular file. `undefined` for anything else, for a file of the kernel's, and for one
   * that cannot be read: an image's broken file is as good as none.
   */
  readFile(path: string, limit: number): Uint8Array | undefined {
    const opened: Fd[] = [];
    try {
      // Looked at before it is opened: opening a device can have effects, opening a FIFO can take forever.
      const seen = this.open(path, O_PATH);
      if (seen === undefined) return undefined;
      opened.push(seen);
      const stat = this.system.statx(seen, "", AT_EMPTY_PATH);
      if (stat?.type !== "file" || KERNEL_FILE_SYSTEMS.has(this.system.fstatfs(seen).type)) return undefined;
      // O_NONBLOCK: a lease of another container on a file in a common volume would hold us up for most of a minute.
      const fd = this.system.openat(CWD, `/proc/self/fd/${seen.number}`, O_RDONLY | O_NONBLOCK);
      opened.push(fd);
      const buffer = new Uint8Array(Math.min(stat.size, limit));
      let filled = 0;
      while (filled < buffer.length) {
        const count = this.system.read(fd, buffer.subarray(filled));
        if (count === 0) break;
        filled += count;
      }
      return buffer.subarray(0, filled);
    } catch (error) {
      if (error instanceof SystemError) return undefined;
      throw error;
    } finally {
      for (const fd of opened) this.system.close(fd);
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
