import { type Budget, newBudget } from "../../model/budget.ts";
import { ignorable, NvociError } from "../../model/errors.ts";
import type { HostPath } from "../../model/paths.ts";
import type { FileType, ImageView } from "../../model/views.ts";
import {
  AT_EMPTY_PATH,
  CLOCK_MONOTONIC,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  PROC_SUPER_MAGIC,
  SELINUX_MAGIC,
} from "../../sys/constants.ts";
import { EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EXDEV } from "../../sys/errno.ts";
import { CWD, type Fd, type Syscalls } from "../../sys/syscalls.ts";
import { SystemError } from "../../sys/system-error.ts";
import { quote } from "../../text/quote.ts";
import { type MountIds, silentMounts } from "../mount/container-mounts.ts";
import { type Resolver, resolver } from "./resolve.ts";

/** Real images take a few hundred steps. This many take about a quarter of a second. */
const STEPS = 65_536;

/** A backstop for slow file systems. Otherwise steps decide, because they are the same on every machine. */
const SECONDS = 5;

const budgets = new WeakMap<Syscalls, Budget>();

/**
 * Returns the budget of this process: one per `Syscalls`, of which a process has one. It is made on first use, so
 * that a container that requests no GPUs does not read the clock.
 */
function processBudget(system: Syscalls): Budget {
  let budget = budgets.get(system);
  if (budget === undefined) {
    budget = newBudget(() => system.clock_gettime(CLOCK_MONOTONIC), STEPS, SECONDS);
    budgets.set(system, budget);
  }
  return budget;
}

/** EXDEV: on a silent mount. */
const UNREACHABLE = [EACCES, ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EXDEV];

/**
 * Opens a container's root for reading.
 *
 * @param root the root directory as the container sees it: `/proc/PID/root` for a live one. It stays open, so that
 * later reads use the same directory.
 * @param process the /proc directory of a process in whose namespace the root is mounted. Default: `/proc/self`.
 * @throws {NvociError} "spec-invalid" when the directory cannot be opened.
 */
export function openImage(system: Syscalls, root: HostPath, process?: string): ImageView {
  try {
    const fd = system.openat(CWD, root, O_PATH | system.O_DIRECTORY);
    return new RootView(system, fd, silentMounts(system, fd, process));
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const message = `Cannot open the container's root ${quote(root, 4096)}: ${error.reason}`;
    throw new NvociError("spec-invalid", message, { hint: error.hint, call: error.call });
  }
}

/**
 * The statfs(2) magic numbers of file systems whose files the kernel generates. Reading one can have effects
 * (/proc/kmsg consumes the host's log) and can block. None of them belongs to an image.
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
 * Reads a container's root without leaving or changing it. The content is the image's: it never decides what nvoci
 * reads on the host.
 */
export class RootView implements ImageView {
  readonly root: Fd;
  readonly resolver: Resolver;
  private readonly system: Syscalls;

  /**
   * @param root a descriptor of the root directory; O_PATH is enough.
   * @param silent mounts that must not be accessed.
   */
  constructor(system: Syscalls, root: Fd, silent?: MountIds) {
    this.system = system;
    this.root = root;
    this.resolver = resolver(system, root, silent);
  }

  /** The budget for work on the image: the budget of this process. */
  get budget(): Budget {
    return processBudget(this.system);
  }

  /** Opens a path. Returns `undefined` when it does not exist or the container's root cannot reach it. */
  open(path: string, flags: number): Fd | undefined {
    try {
      return this.resolver.open(path, flags);
    } catch (error) {
      if (error instanceof SystemError && UNREACHABLE.includes(error.errno)) return undefined;
      throw error;
    }
  }

  /** Reports whether the path leads to a directory. */
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
    return this.withFile(path, (fd) => {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, this.system.pread64(fd, bytes, offset));
    });
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

  readFile(path: string, limit: number): Uint8Array | undefined {
    return this.withFile(path, (fd, size) => {
      const buffer = new Uint8Array(Math.min(size, limit));
      let filled = 0;
      while (filled < buffer.length) {
        const count = this.system.read(fd, buffer.subarray(filled));
        if (count === 0) break;
        filled += count;
      }
      return buffer.subarray(0, filled);
    });
  }

  /**
   * Calls `read` with a regular file. Returns `undefined` for anything else, for a file that the kernel generates,
   * and for a file that cannot be read: an image's broken file counts as missing. A failure of the machine is an
   * error.
   */
  private withFile<T>(path: string, read: (fd: Fd, size: number) => T): T | undefined {
    // Check the type before opening: opening a device can have effects, and opening a FIFO can block forever.
    const seen = this.open(path, O_PATH);
    if (seen === undefined) return undefined;
    const opened: Fd[] = [seen];
    try {
      const stat = this.system.statx(seen, "", AT_EMPTY_PATH);
      if (stat?.type !== "file" || KERNEL_FILE_SYSTEMS.has(this.system.fstatfs(seen).type)) return undefined;
      // O_NONBLOCK: another container's lease on a file in a shared volume would block for up to 45 s.
      const fd = this.system.openat(CWD, `/proc/self/fd/${seen.number}`, O_RDONLY | O_NONBLOCK);
      opened.push(fd);
      return read(fd, stat.size);
    } catch (error) {
      ignorable(error);
      return undefined;
    } finally {
      for (const fd of opened) this.system.close(fd);
    }
  }

  /** Returns at most `limit` names in a directory; none when the directory does not exist. */
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
