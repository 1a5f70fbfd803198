import type { Arch } from "../model/machine.ts";
import type { FileStat } from "../model/views.ts";
import { quote } from "../text/quote.ts";
import type { DeviceNumber } from "./constants.ts";

/**
 * An open file descriptor and the path that it was opened by. The path is for error messages only; nothing is opened
 * by it again.
 */
export class Fd {
  /** The descriptor's number. */
  readonly number: number;
  /** The path that it was opened by. For messages only. */
  readonly origin: string;

  constructor(number: number, origin: string) {
    this.number = number;
    this.origin = origin;
  }

  /** Returns `8 ("/usr/lib")`, or `AT_FDCWD`. */
  toString(): string {
    return this.number === CWD_NUMBER ? "AT_FDCWD" : `${this.number} (${quote(this.origin, 4096)})`;
  }
}

const CWD_NUMBER = -100;

/** AT_FDCWD: the current directory, for calls that expect a directory descriptor. */
export const CWD = new Fd(CWD_NUMBER, ".");

/** What statx(2) reports about an inode, beyond what `HostView` offers. */
export interface Stat extends FileStat {
  readonly inode: number;
  /** Number of hard links. */
  readonly links: number;
  /** Device of the file system that contains it, major and minor in one number. Only for comparison. */
  readonly device: number;
  /** Time of the last status change, in seconds since 1970, rounded to the file system's clock tick. */
  readonly changed: number;
}

/** openat2(2)'s `struct open_how`. */
export interface OpenHow {
  readonly flags: number;
  readonly mode?: number;
  readonly resolve: number;
}

/** mount_setattr(2)'s `struct mount_attr`, without the members that nvoci does not use. */
export interface MountAttr {
  readonly attrSet: number;
  readonly propagation?: number;
}

/** A resource limit. Soft and hard limit are set to the same value. */
type Limit = number;

/** How a child ended, as wait4(2) reports it. */
export type ExitStatus = { readonly exited: number } | { readonly signalled: number };

/**
 * The kernel as the rest of nvoci sees it. Methods have the names and the argument order of the man pages, and are
 * synchronous.
 *
 * A call that fails throws SystemError, unless its description returns something else for an expected failure. Every
 * descriptor is close-on-exec. Paths are UTF-8 without NUL.
 */
export interface Syscalls {
  readonly arch: Arch;
  readonly O_DIRECTORY: number;
  readonly O_NOFOLLOW: number;

  openat(dirfd: Fd, path: string, flags: number, mode?: number): Fd;
  /**
   * openat(2) for files that may be missing. Most lookups on a host are of this kind, and an error with its stack
   * trace would take a hundred times as long.
   *
   * @returns `undefined` when the file does not exist (ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG).
   */
  openatIfThere(dirfd: Fd, path: string, flags: number): Fd | undefined;
  openat2(dirfd: Fd, path: string, how: OpenHow): Fd;
  close(fd: Fd): void;
  /** Returns a second descriptor of the same open file, by fcntl(2) with F_DUPFD_CLOEXEC. */
  dup(fd: Fd): Fd;
  /** @returns the number of bytes written to the start of `buffer`, 0 at the end of the file. */
  read(fd: Fd, buffer: Uint8Array): number;
  /** @returns the number of bytes written to the start of `buffer`, 0 at the end of the file. */
  pread64(fd: Fd, buffer: Uint8Array, offset: number): number;
  /** Writes all data, in several calls if necessary. */
  write(fd: Fd, data: Uint8Array | string): void;
  /** @returns the number of bytes copied, 0 at the end of `from`. */
  sendfile(to: Fd, from: Fd, count: number): number;

  /**
   * statx(2), or newfstatat(2) before 4.11.
   *
   * @returns `undefined` when the file does not exist (ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG).
   */
  statx(dirfd: Fd, path: string, flags: number): Stat | undefined;
  /**
   * Returns the id of the mount that an open file is on, as in mountinfo: statx(2)'s STATX_MNT_ID.
   *
   * @returns `undefined` when the kernel does not report it (before 5.8).
   */
  statxMountId(fd: Fd): number | undefined;
  /** @returns the file system's magic number, and the flags of its mount, with the values of mount(2). */
  fstatfs(fd: Fd): { readonly type: number; readonly flags: number };
  /** Reads a link; an empty path reads `dirfd` itself. @returns `undefined` when it does not exist or is not a link. */
  readlinkat(dirfd: Fd, path: string): string | undefined;
  /**
   * @param limit the maximum number of names, for untrusted directories. Default: all.
   * @returns the names in a directory that is open for reading, without `.`, `..` and names that are not UTF-8.
   */
  getdents64(fd: Fd, limit?: number): string[];
  /** Like `getdents64`, for names that end with a text. It decodes no others, which takes a tenth of the time. */
  namesEnding(fd: Fd, ending: string): string[];

  /** @returns `false` when the name already exists. */
  mkdirat(dirfd: Fd, path: string, mode: number): boolean;
  /**
   * @param device for S_IFCHR and S_IFBLK. Default 0:0.
   * @returns `false` when the name already exists.
   */
  mknodat(dirfd: Fd, path: string, mode: number, device?: DeviceNumber): boolean;
  /** @returns `false` when the name already exists. */
  symlinkat(target: string, dirfd: Fd, path: string): boolean;
  unlinkat(dirfd: Fd, path: string, flags: number): void;
  /** renameat2(2). Default: no flags. */
  renameat(from: Fd, oldPath: string, to: Fd, newPath: string, flags?: number): void;
  fchownat(dirfd: Fd, path: string, uid: number, gid: number, flags: number): void;
  fchmodat(dirfd: Fd, path: string, mode: number): void;
  fsync(fd: Fd): void;
  /** flock(2) with LOCK_NB. @returns `false` when another process has the lock. */
  flock(fd: Fd, operation: number): boolean;

  /**
   * mount(2). The current directory must be /proc/self/fd.
   *
   * @param source a descriptor, or the name of a file system without a device.
   */
  mount(source: Fd | string, target: Fd, type: string | null, flags: number, data: string | null): void;
  /** Detaches the mount at a name in an open directory. The current directory must be /proc/self/fd. */
  umount2(parent: Fd, name: string, flags: number): void;
  open_tree(dirfd: Fd, path: string, flags: number): Fd;
  move_mount(from: Fd, fromPath: string, to: Fd, toPath: string, flags: number): void;
  mount_setattr(dirfd: Fd, path: string, flags: number, attr: MountAttr): void;

  setns(fd: Fd, type: number): void;
  unshare(flags: number): void;
  fchdir(fd: Fd): void;
  /** @returns the previous id. */
  setfsuid(uid: number): number;
  /** @returns the previous id. */
  setfsgid(gid: number): number;
  /** setgroups(2) without groups. @returns `false` when the user namespace forbids it. */
  setgroups(): boolean;
  geteuid(): number;
  getpid(): number;
  umask(mode: number): number;
  /** prctl(2) with one argument. */
  prctl(option: number, argument: number): void;
  prlimit64(resource: number, limit: Limit): void;
  /** Returns the hard limit, by prlimit64(2). */
  getrlimit(resource: number): Limit;

  /** setitimer(2) with ITIMER_REAL: sends SIGALRM once, after `seconds`. By default it ends the process. */
  setitimer(seconds: number): void;

  memfd_create(name: string, flags: number): Fd;
  /** fcntl(2) with an integer argument. */
  fcntl(fd: Fd, command: number, argument: number): number;
  pipe2(): { readonly reader: Fd; readonly writer: Fd };
  /** Returns a pair of connected sockets, for messages that carry descriptors. */
  socketpair(): { readonly reader: Fd; readonly writer: Fd };
  /** Connects to a service by the path of its socket, at most 107 bytes: socket(2) and connect(2). */
  connect(path: string): Fd;
  /** Receives a message and returns its descriptor. @returns `undefined` when no descriptor has arrived. */
  receiveDescriptor(socket: Fd): Fd | undefined;
  /** Waits until a descriptor can be read, or sleeps without one. @returns `false` when the time is over. */
  ppoll(fd: Fd | undefined, timeoutMs: number): boolean;
  /** Returns the seconds on one of the kernel's clocks. */
  clock_gettime(clock: number): number;

  /** bpf(2). @returns the result, or `-errno`, which callers evaluate. */
  bpf(command: number, attribute: Uint8Array): number;

  /** Starts a child that makes the calls of a `StepList`. The caller must wait for it with `wait4`. */
  spawn(cloneFlags: number, steps: Uint8Array, report: Fd): number;
  /** @returns `undefined` when `options` is WNOHANG and the child has not ended. */
  wait4(pid: number, options?: number): ExitStatus | undefined;
  /**
   * Returns a descriptor that becomes readable when the process ends.
   *
   * @returns `undefined` when the kernel lacks the call (before 5.3).
   */
  pidfd_open(pid: number): Fd | undefined;
  /**
   * Ignores SIGPIPE and SIGXFSZ, so that such writes fail with EPIPE and EFBIG. `spawn` and `execve` restore the
   * original actions for the new program.
   */
  ignoreWriteSignals(): void;
  kill(pid: number, signal: number): void;
  /** Replaces this process with another program. Returns only by throwing. */
  execve(path: string, argv: Uint8Array | number, envp: Uint8Array | number): never;
  exit_group(status: number): never;
  /** Returns the address of a byte array, for structures with pointers. The array must stay reachable. */
  address(bytes: Uint8Array): number;
  /** Decodes UTF-8; malformed sequences become U+FFFD. */
  decode(bytes: Uint8Array, start: number, end: number): string;
}
