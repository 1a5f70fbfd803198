import type { Arch } from "../model/machine.ts";
import type { FileStat } from "../model/views.ts";
import { quote } from "../text/quote.ts";
import type { DeviceNumber } from "./constants.ts";

/**
 * An open file descriptor together with the path that it was opened by. The path is for the reader of an error
 * message; nothing is ever opened by it again.
 */
export class Fd {
  /** The descriptor's number. */
  readonly number: number;
  /** What it was opened by. For messages only. */
  readonly origin: string;

  constructor(number: number, origin: string) {
    this.number = number;
    this.origin = origin;
  }

  /** `8 ("/usr/lib")`, or AT_FDCWD. */
  toString(): string {
    return this.number === CWD_NUMBER ? "AT_FDCWD" : `${this.number} (${quote(this.origin, 4096)})`;
  }
}

const CWD_NUMBER = -100;

/** The current directory, where a call takes a directory descriptor. */
export const CWD = new Fd(CWD_NUMBER, ".");

/** What statx(2) says about one inode, beyond what decisions on the host need. */
export interface Stat extends FileStat {
  readonly inode: number;
  /** How many names it has. */
  readonly links: number;
  /** The containing file system's device, major and minor in one number; to be compared only. */
  readonly device: number;
  /** Time of the last status change, in seconds since 1970; file systems round it to their clock's tick. */
  readonly changed: number;
}

/** openat2(2)'s `struct open_how`. */
export interface OpenHow {
  readonly flags: number;
  readonly mode?: number;
  readonly resolve: number;
}

/** mount_setattr(2)'s `struct mount_attr`, without the parts that nvoci never uses. */
export interface MountAttr {
  readonly attrSet: number;
  readonly propagation?: number;
}

/** One resource limit; soft and hard are set to the same value. */
type Limit = number;

/** How a child ended, as wait4(2) tells it. */
export type ExitStatus = { readonly exited: number } | { readonly signalled: number };

/**
 * The kernel as the rest of nvoci sees it: man-page names, man-page argument order, synchronous.
 *
 * A call that fails throws SystemError, save where its description gives another answer for an expected failure.
 * Every descriptor is close-on-exec. Paths are UTF-8 without NUL.
 */
export interface Syscalls {
  readonly arch: Arch;
  readonly O_DIRECTORY: number;
  readonly O_NOFOLLOW: number;

  openat(dirfd: Fd, path: string, flags: number, mode?: number): Fd;
  /**
   * openat(2) where absence is an answer, as on most look-ups on a host: an error and its trace would take a hundred
   * times as long. @returns `undefined` when nothing is there (ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG).
   */
  openatIfThere(dirfd: Fd, path: string, flags: number): Fd | undefined;
  openat2(dirfd: Fd, path: string, how: OpenHow): Fd;
  close(fd: Fd): void;
  /** A second descriptor of the same open file. */
  dup(fd: Fd): Fd;
  /** @returns the number of bytes put at the start of `buffer`; 0 at the end. */
  read(fd: Fd, buffer: Uint8Array): number;
  /** @returns the number of bytes put at the start of `buffer`; 0 at the end. */
  pread64(fd: Fd, buffer: Uint8Array, offset: number): number;
  /** Writes all of it, in several calls if need be. */
  write(fd: Fd, data: Uint8Array | string): void;
  /** @returns the number of bytes copied, 0 at the end of `from`. */
  sendfile(to: Fd, from: Fd, count: number): number;

  /** @returns `undefined` when nothing is there (ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG). Falls back to newfstatat(2). */
  statx(dirfd: Fd, path: string, flags: number): Stat | undefined;
  /**
   * statx(2)'s STATX_MNT_ID of an open file: mountinfo's number of the mount that it is on.
   *
   * @returns `undefined` where the kernel does not say it, before 5.8.
   */
  statxMountId(fd: Fd): number | undefined;
  /** @returns the file system's magic number, and its mount's flags under the values of mount(2). */
  fstatfs(fd: Fd): { readonly type: number; readonly flags: number };
  /** @returns `undefined` when nothing is there or it is no symbolic link. An empty path reads the link that `dirfd` is. */
  readlinkat(dirfd: Fd, path: string): string | undefined;
  /**
   * @param limit how many names at most; for directories that somebody else fills. Default: all.
   * @returns the names in a directory opened for reading, without `.` and `..` and names that are not UTF-8.
   */
  getdents64(fd: Fd, limit?: number): string[];

  /** @returns whether it was made; `false` means that the name exists. */
  mkdirat(dirfd: Fd, path: string, mode: number): boolean;
  /**
   * @param device for S_IFCHR and S_IFBLK. Default 0:0.
   * @returns whether it was made; `false` means that the name exists.
   */
  mknodat(dirfd: Fd, path: string, mode: number, device?: DeviceNumber): boolean;
  /** @returns whether it was made; `false` means that the name exists. */
  symlinkat(target: string, dirfd: Fd, path: string): boolean;
  unlinkat(dirfd: Fd, path: string, flags: number): void;
  /** renameat2(2). Default: no flags. */
  renameat(from: Fd, oldPath: string, to: Fd, newPath: string, flags?: number): void;
  fchownat(dirfd: Fd, path: string, uid: number, gid: number, flags: number): void;
  fchmodat(dirfd: Fd, path: string, mode: number): void;
  fsync(fd: Fd): void;
  /** flock(2) with LOCK_NB. @returns whether it is ours; `false` means that somebody else has it. */
  flock(fd: Fd, operation: number): boolean;

  /**
   * The current directory must be /proc/self/fd.
   *
   * @param source a descriptor, or the name of a file system that has no device.
   */
  mount(source: Fd | string, target: Fd, type: string | null, flags: number, data: string | null): void;
  /** Detaches what is mounted at a name in an open directory. The current directory must be /proc/self/fd. */
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
  /** setgroups(2) with no groups. @returns `false` where a user namespace forbids it. */
  setgroups(): boolean;
  geteuid(): number;
  getpid(): number;
  umask(mode: number): number;
  /** prctl(2) with one argument. */
  prctl(option: number, argument: number): void;
  prlimit64(resource: number, limit: Limit): void;
  /** @returns the hard limit, by prlimit64(2). */
  getrlimit(resource: number): Limit;

  /** setitimer(2) of the real time: SIGALRM once, after so many seconds. It ends a process that has no other plan. */
  setitimer(seconds: number): void;

  memfd_create(name: string, flags: number): Fd;
  /** fcntl(2) with an integer argument. */
  fcntl(fd: Fd, command: number, argument: number): number;
  pipe2(): { readonly reader: Fd; readonly writer: Fd };
  /** A pair of connected sockets for messages with descriptors in them. */
  socketpair(): { readonly reader: Fd; readonly writer: Fd };
  /** Takes the descriptor out of a message that has come. @returns `undefined` where there is none. */
  receiveDescriptor(socket: Fd): Fd | undefined;
  /** @returns whether the descriptor can be read within the time; without one, the time is waited out. */
  ppoll(fd: Fd | undefined, timeoutMs: number): boolean;
  /** Seconds by one of the kernel's clocks. */
  clock_gettime(clock: number): number;

  /** bpf(2). @returns the result, or `-errno`: callers decide by it. */
  bpf(command: number, attribute: Uint8Array): number;

  /** Starts a child that makes the prepared calls, and that wait4 can be asked for; see `StepList`. */
  spawn(cloneFlags: number, steps: Uint8Array, report: Fd): number;
  /** @returns `undefined` while the child lives, where `options` is WNOHANG. */
  wait4(pid: number, options?: number): ExitStatus | undefined;
  /** A descriptor that can be read once the process has ended; `undefined` where there is no such call, before 5.3. */
  pidfd_open(pid: number): Fd | undefined;
  /**
   * Makes writes that a signal would kill us for fail with EPIPE and EFBIG instead. Programs that are run or become
   * get the signals as they were.
   */
  ignoreWriteSignals(): void;
  kill(pid: number, signal: number): void;
  /** Becomes another program; returns only by throwing. */
  execve(path: string, argv: Uint8Array | number, envp: Uint8Array | number): never;
  exit_group(status: number): never;
  /** The address of a byte array that a structure points to; the array must stay reachable. */
  address(bytes: Uint8Array): number;
  /** UTF-8 to string; malformed sequences become U+FFFD. */
  decode(bytes: Uint8Array, start: number, end: number): string;
}
