import type { Arch } from "../model/machine.ts";

/** A device number. */
export interface DeviceNumber {
  /** Below 2^12. */
  readonly major: number;
  /** Below 2^20. */
  readonly minor: number;
}

/**
 * Encodes a device number in the 32 bits that mknod(2) accepts. The kernel silently drops bits that do not fit.
 *
 * @throws {RangeError} when a part is out of range.
 * @see new_encode_dev() in include/linux/kdev_t.h in the Linux source
 */
export function encodeDevice({ major, minor }: DeviceNumber): number {
  if (!(major >= 0 && major < 1 << 12 && minor >= 0 && minor < 1 << 20)) {
    throw new RangeError(`Cannot encode the device number ${major}:${minor}: it is out of range`);
  }
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

/**
 * Flags of the kernel's interface, under the kernel's names. Their values are the same on x86_64 and arm64, except
 * those that a function returns.
 *
 * @see include/uapi/linux/ and include/uapi/asm-generic/ in the Linux source
 */

export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
/** Uses cached attributes: does not query a file server. */
export const AT_STATX_DONT_SYNC = 0x4000;
export const AT_EMPTY_PATH = 0x1000;
export const AT_RECURSIVE = 0x8000;

export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;

/** O_DIRECTORY and O_NOFOLLOW differ: arm64 keeps the values of 32-bit ARM. */
export const openFlags = (arch: Arch) =>
  arch === "x64"
    ? { O_DIRECTORY: 0o200000, O_NOFOLLOW: 0o400000 }
    : { O_DIRECTORY: 0o40000, O_NOFOLLOW: 0o100000 };

export const RESOLVE_NO_MAGICLINKS = 0x02;
export const RESOLVE_IN_ROOT = 0x10;

export const S_IFMT = 0o170000;
export const S_IFREG = 0o100000;
export const S_IFDIR = 0o040000;
export const S_IFLNK = 0o120000;
export const S_IFCHR = 0o020000;
export const S_IFBLK = 0o060000;
export const S_IFIFO = 0o010000;

export const MS_RDONLY = 1;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_NOEXEC = 8;
export const MS_REMOUNT = 0x20;
export const MS_BIND = 0x1000;
export const MS_MOVE = 0x2000;
export const MS_REC = 0x4000;
export const MS_PRIVATE = 0x40000;
export const MNT_DETACH = 2;
export const UMOUNT_NOFOLLOW = 8;

export const OPEN_TREE_CLONE = 1;
export const MOVE_MOUNT_F_EMPTY_PATH = 0x4;
export const MOUNT_ATTR_RDONLY = 0x1;
export const MOUNT_ATTR_NOSUID = 0x2;
export const MOUNT_ATTR_NODEV = 0x4;
export const MOUNT_ATTR_NOEXEC = 0x8;

export const CLONE_FS = 0x200;
export const CLONE_NEWNS = 0x20000;
export const CLONE_NEWUTS = 0x4000000;
export const CLONE_NEWIPC = 0x8000000;
export const CLONE_NEWPID = 0x20000000;
export const CLONE_NEWNET = 0x40000000;

export const MFD_CLOEXEC = 1;
export const MFD_ALLOW_SEALING = 2;
export const MFD_EXEC = 0x10;
export const F_DUPFD_CLOEXEC = 1030;
export const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE */
export const F_SEAL_ALL = 0xf;

export const LOCK_EX = 2;
export const LOCK_NB = 4;

export const PR_SET_PDEATHSIG = 1;
export const PR_SET_SECCOMP = 22;
export const SECCOMP_MODE_FILTER = 2;
export const PR_CAPBSET_DROP = 24;
export const PR_SET_SECUREBITS = 28;
export const PR_SET_NO_NEW_PRIVS = 38;
/** SECBIT_NOROOT | SECBIT_NOROOT_LOCKED: uid 0 gains no capabilities by execve(2). */
export const SECBIT_NOROOT_AND_LOCKED = 0x3;

export const RLIMIT_CPU = 0;
export const RLIMIT_FSIZE = 1;
export const RLIMIT_DATA = 2;
export const RLIMIT_CORE = 4;
export const RLIMIT_NOFILE = 7;
export const RLIMIT_MEMLOCK = 8;
export const RLIMIT_AS = 9;

export const ITIMER_REAL = 0;
export const CLOCK_MONOTONIC = 1;

export const SIGKILL = 9;
export const SIGPIPE = 13;
export const SIGCHLD = 17;
export const SIGXFSZ = 25;
export const WNOHANG = 1;
export const RENAME_EXCHANGE = 2;

export const AF_UNIX = 1;
export const SOCK_STREAM = 1;
export const SOCK_SEQPACKET = 5;
export const SOL_SOCKET = 1;
export const SCM_RIGHTS = 1;
export const MSG_DONTWAIT = 0x40;
export const MSG_CMSG_CLOEXEC = 0x40000000;

export const POLLIN = 1;
export const POLLOUT = 4;
export const CLOSE_RANGE_CLOEXEC = 4;

export const SELINUX_MAGIC = 0xf97cff8c;
export const PROC_SUPER_MAGIC = 0x9fa0;
