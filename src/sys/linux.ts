import { encodeUtf8 } from "../text/utf8.ts";
import {
  AF_UNIX,
  AT_EMPTY_PATH,
  AT_STATX_DONT_SYNC,
  encodeDevice,
  F_ADD_SEALS,
  F_DUPFD_CLOEXEC,
  ITIMER_REAL,
  MOVE_MOUNT_F_EMPTY_PATH,
  MSG_CMSG_CLOEXEC,
  MSG_DONTWAIT,
  O_CLOEXEC,
  O_NONBLOCK,
  openFlags,
  POLLIN,
  POLLOUT,
  SIGCHLD,
  SIGPIPE,
  SIGXFSZ,
  SOCK_SEQPACKET,
  SOCK_STREAM,
} from "./constants.ts";
import {
  EAGAIN,
  EEXIST,
  EINTR,
  EINVAL,
  ELOOP,
  ENAMETOOLONG,
  ENOENT,
  ENOSYS,
  ENOTDIR,
  EPERM,
} from "./errno.ts";
import type { FlagSet } from "./flag-names.ts";
import type { Primitives } from "./primitives.ts";
import { CMSG_DATA, decodeStat, decodeStatx, descriptorMessage } from "./structures.ts";
import { syscallNumbers } from "./syscall-numbers.ts";
import { Fd, type Syscalls } from "./syscalls.ts";
import { type ShownArgument, type ShownFlags, SystemError } from "./system-error.ts";

/** Reports whether a result means that no such file exists, as opposed to a failed lookup. */
const isAbsent = (result: number): boolean =>
  result === -ENOENT || result === -ENOTDIR || result === -ELOOP || result === -ENAMETOOLONG;

const SIG_IGN = 1;
/** Returns the string that mount(2) expects for a descriptor or a file system's name. */
const numberOrPath = (end: Fd | string): string => (typeof end === "string" ? end : `${end.number}`);

const STATX_BASIC_STATS = 0x7ff;
const STATX_MNT_ID = 0x1000;
/** PATH_MAX: the maximum length of a link. */
const LINK_BYTES = 4096;
/** Characters below it are control characters. */
const SPACE = 0x20;
const DIRECTORY_BYTES = 32768;
/** Its text fits a block that is used again; see native/arena.c. */
const SMALL_DIRECTORY_BYTES = 8000;

/**
 * Implements the kernel's interface on the JavaScript engine's primitives. Apart from `node.ts`, no other module uses them.
 *
 * Why this is safe: every path argument is a NUL-free string that the engine copies for the duration of the call,
 * every buffer is an array that stays reachable during the call and whose real length is passed, and every
 * descriptor is opened with O_CLOEXEC, so no child inherits one by accident. Comments below cover special cases.
 */
export function linux(engine: Primitives): Syscalls {
  const nr = syscallNumbers(engine.arch);
  const { O_DIRECTORY, O_NOFOLLOW } = openFlags(engine.arch);
  const { syscall } = engine;
  const machine = engine.arch;
  /** Describes flags. SystemError alone formats them, because most calls succeed. */
  const flagsOf = (set: FlagSet, value: number): ShownFlags => ({ set, value, machine });

  // One buffer for all small results: calls are synchronous, and each copies its result before it returns.
  const scratch = new Uint8Array(LINK_BYTES);
  const view = new DataView(scratch.buffer);
  const words = new Uint32Array(scratch.buffer);
  let hasStatx = true;
  let hasMountId = true;

  /** Returns the result of a call. @throws {SystemError} when the call failed. */
  const checked = (name: string, result: number, args: readonly ShownArgument[]): number => {
    if (result < 0) throw new SystemError(name, args, result);
    return result;
  };

  /** Repeats a call that a signal interrupted. For calls that can block; other calls are not repeated. */
  const uninterrupted = (call: () => number): number => {
    let result = call();
    while (result === -EINTR) result = call();
    return result;
  };

  /** struct pollfd: int fd, short events, short revents. Waits forever when `timeout` is null. */
  const poll = (fd: Fd | undefined, events: number, timeout: Uint8Array | null): number => {
    view.setInt32(0, fd?.number ?? -1, true);
    view.setInt16(4, events, true);
    view.setInt16(6, 0, true);
    return syscall(nr.ppoll, scratch, 1, timeout, null, 8);
  };

  /**
   * Repeats a call that a signal interrupted. On descriptors 0 to 2 it also waits on EAGAIN: O_NONBLOCK belongs to
   * the open file, which the parent process shares and may have set. Other descriptors are non-blocking on purpose.
   */
  const transferred = (fd: Fd, events: number, call: () => number): number => {
    let result = uninterrupted(call);
    while (result === -EAGAIN && fd.number <= STDERR.number) {
      poll(fd, events, null);
      result = uninterrupted(call);
    }
    return result;
  };

  /** Actions that the write signals had at start. Empty until `ignoreWriteSignals`. */
  const ignored: { readonly signal: number; readonly before: Uint8Array }[] = [];

  /** Makes a call that starts another program with the original signal actions: execve(2) keeps ignored signals. */
  const withUsualSignals = (call: () => number): number => {
    const during = new Uint8Array(32);
    for (const { signal, before } of ignored) syscall(nr.rt_sigaction, signal, before, during, 8);
    const result = call();
    for (const { signal } of ignored) syscall(nr.rt_sigaction, signal, during, null, 8);
    return result;
  };

  /** Checks a call that makes a name. @returns `false` when the name already exists. */
  const made = (name: string, result: number, args: readonly ShownArgument[]): boolean => {
    if (result === -EEXIST) return false;
    checked(name, result, args);
    return true;
  };

  const system: Syscalls = {
    arch: engine.arch,
    O_DIRECTORY,
    O_NOFOLLOW,

    // Callers that open an untrusted name add O_PATH or O_NONBLOCK, so that a FIFO or a device cannot block.
    openat(dirfd, path, flags, mode = 0) {
      const result = syscall(nr.openat, dirfd.number, path, flags | O_CLOEXEC, mode);
      if (result < 0) throw new SystemError("openat", [dirfd, path, flagsOf("O", flags), { mode }], result);
      return new Fd(result, path);
    },
    openatIfThere(dirfd, path, flags) {
      const result = syscall(nr.openat, dirfd.number, path, flags | O_CLOEXEC, 0);
      if (isAbsent(result)) return undefined;
      return new Fd(checked("openat", result, [dirfd, path, flagsOf("O", flags)]), path);
    },

    // struct open_how: u64 flags, u64 mode, u64 resolve. Unlike openat(2), the kernel rejects unknown bits.
    openat2(dirfd, path, how) {
      words.fill(0, 0, 6);
      words[0] = how.flags | O_CLOEXEC;
      words[2] = how.mode ?? 0;
      words[4] = how.resolve;
      const result = syscall(nr.openat2, dirfd.number, path, scratch, 24);
      if (result < 0) {
        const shown = [flagsOf("O", how.flags), flagsOf("RESOLVE", how.resolve)];
        throw new SystemError("openat2", [dirfd, path, ...shown], result);
      }
      return new Fd(result, path);
    },

    // Not repeated on EINTR: Linux has already released the number, and another file may have it.
    close(fd) {
      syscall(nr.close, fd.number);
    },

    dup(fd) {
      const result = syscall(nr.fcntl, fd.number, F_DUPFD_CLOEXEC, 0);
      return new Fd(checked("fcntl", result, [fd, { text: "F_DUPFD_CLOEXEC" }]), fd.origin);
    },

    read(fd, buffer) {
      const result = transferred(fd, POLLIN, () => syscall(nr.read, fd.number, buffer, buffer.length));
      return checked("read", result, [fd, buffer.length]);
    },

    pread64(fd, buffer, offset) {
      const result = uninterrupted(() => syscall(nr.pread64, fd.number, buffer, buffer.length, offset));
      return checked("pread64", result, [fd, buffer.length, offset]);
    },

    write(fd, data) {
      const bytes = typeof data === "string" ? encodeUtf8(data) : data;
      for (let done = 0; done < bytes.length; ) {
        const rest = done === 0 ? bytes : bytes.subarray(done);
        const result = transferred(fd, POLLOUT, () => syscall(nr.write, fd.number, rest, rest.length));
        done += checked("write", result, [fd, rest.length]);
      }
    },

    sendfile(to, from, count) {
      const result = uninterrupted(() => syscall(nr.sendfile, to.number, from.number, null, count));
      return checked("sendfile", result, [to, from, count]);
    },

    // Since 4.11. After the first ENOSYS, statx(2) is not tried again.
    statx(dirfd, path, flags) {
      if (hasStatx) {
        const result = syscall(nr.statx, dirfd.number, path, flags, STATX_BASIC_STATS, scratch);
        if (result === 0) return decodeStatx(words);
        if (isAbsent(result)) return undefined;
        if (result !== -ENOSYS) throw new SystemError("statx", [dirfd, path, flagsOf("AT", flags)], result);
        hasStatx = false;
      }
      const result = syscall(nr.newfstatat, dirfd.number, path, scratch, flags);
      if (isAbsent(result)) return undefined;
      checked("newfstatat", result, [dirfd, path, flagsOf("AT", flags)]);
      return decodeStat(view, engine.arch);
    },

    // stx_mask is word 0, stx_mnt_id words 36 and 37; mount ids have 32 bits.
    statxMountId(fd) {
      if (!hasMountId) return undefined;
      const flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
      const result = syscall(nr.statx, fd.number, "", flags, STATX_MNT_ID, scratch);
      if (result !== -ENOSYS) checked("statx", result, [fd, "", { text: "STATX_MNT_ID" }]);
      hasMountId = result === 0 && (words[0]! & STATX_MNT_ID) !== 0;
      return hasMountId ? words[36] : undefined;
    },

    // struct statfs on 64-bit machines: f_type at 0, f_flags at 80.
    fstatfs(fd) {
      checked("fstatfs", syscall(nr.fstatfs, fd.number, scratch), [fd]);
      return { type: view.getUint32(0, true), flags: view.getUint32(80, true) };
    },

    // A result that fills the buffer may be truncated. PATH_MAX rules that out; it is refused anyway.
    readlinkat(dirfd, path) {
      const result = syscall(nr.readlinkat, dirfd.number, path, scratch, LINK_BYTES);
      if (isAbsent(result) || result === -EINVAL) return undefined;
      checked("readlinkat", result, [dirfd, path]);
      if (result === LINK_BYTES) throw new SystemError("readlinkat", [dirfd, path], -ENAMETOOLONG);
      return engine.decode(scratch, 0, result);
    },

    // struct linux_dirent64: u64 ino, s64 off, u16 reclen, u8 type, char name[].
    getdents64(fd, limit = Number.POSITIVE_INFINITY) {
      const names: string[] = [];
      const records = new Uint8Array(DIRECTORY_BYTES);
      for (;;) {
        if (names.length >= limit) return names.slice(0, limit);
        const filled = checked("getdents64", syscall(nr.getdents64, fd.number, records, DIRECTORY_BYTES), [
          fd,
        ]);
        if (filled === 0) return names;
        for (let at = 0; at < filled; ) {
          const length = records[at + 16]! | (records[at + 17]! << 8);
          const name = engine.decode(records, at + 19, records.indexOf(0, at + 19));
          if (name !== "." && name !== ".." && !name.includes("\ufffd")) names.push(name);
          at += length;
        }
      }
    },

    // A name follows the type, which follows a zero: the high byte of reclen, since names up to 255 bytes make records
    // of less than 512, and those of more than 228 bytes are no library's. Some file systems leave the type 0.
    namesEnding(fd, ending) {
      const names: string[] = [];
      const records = new Uint8Array(SMALL_DIRECTORY_BYTES);
      const wanted = `${ending}\0`;
      for (;;) {
        const result = syscall(nr.getdents64, fd.number, records, SMALL_DIRECTORY_BYTES);
        const filled = checked("getdents64", result, [fd]);
        if (filled === 0) return names;
        const text = engine.decode(records, 0, filled);
        for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
          const start = text.lastIndexOf("\0", at) + 1;
          const name = text.slice(text.charCodeAt(start) < SPACE ? start + 1 : start, at + ending.length);
          if (!name.includes("\ufffd")) names.push(name);
        }
      }
    },

    // mkdirat, mknodat and symlinkat never follow or replace an existing last component, and callers pass a single
    // name below a descriptor, so the new file is in the descriptor's directory.
    mkdirat(dirfd, path, mode) {
      const result = syscall(nr.mkdirat, dirfd.number, path, mode);
      return result === 0 || made("mkdirat", result, [dirfd, path, { mode }]);
    },
    mknodat(dirfd, path, mode, device) {
      const number = device === undefined ? 0 : encodeDevice(device);
      const result = syscall(nr.mknodat, dirfd.number, path, mode, number);
      if (result === 0) return true;
      const shown = device === undefined ? [] : [{ text: `makedev(${device.major}, ${device.minor})` }];
      return made("mknodat", result, [dirfd, path, { mode }, ...shown]);
    },
    symlinkat(target, dirfd, path) {
      const result = syscall(nr.symlinkat, target, dirfd.number, path);
      return result === 0 || made("symlinkat", result, [target, dirfd, path]);
    },

    // Removes the name itself, never a link's target.
    unlinkat(dirfd, path, flags) {
      const result = syscall(nr.unlinkat, dirfd.number, path, flags);
      checked("unlinkat", result, [dirfd, path, flagsOf("AT", flags)]);
    },
    renameat(from, oldPath, to, newPath, flags = 0) {
      const result = syscall(nr.renameat2, from.number, oldPath, to.number, newPath, flags);
      checked("renameat2", result, [from, oldPath, to, newPath]);
    },
    fchownat(dirfd, path, uid, gid, flags) {
      const result = syscall(nr.fchownat, dirfd.number, path, uid, gid, flags);
      checked("fchownat", result, [dirfd, path, uid, gid]);
    },
    fchmodat(dirfd, path, mode) {
      checked("fchmodat", syscall(nr.fchmodat, dirfd.number, path, mode), [dirfd, path, { mode }]);
    },

    fsync(fd) {
      checked("fsync", syscall(nr.fsync, fd.number), [fd]);
    },
    // A lock belongs to its open file, so it ends with the process, even if the process is killed.
    flock(fd, operation) {
      const result = syscall(nr.flock, fd.number, operation);
      if (result === -EAGAIN) return false;
      return checked("flock", result, [fd, operation]) === 0;
    },

    // mount(2) and umount2(2) accept paths only. A descriptor is passed as its decimal number, relative to
    // /proc/self/fd, which is the current directory: the kernel jumps to the open object without a lookup by name.
    mount(source, target, type, flags, data) {
      const result = syscall(nr.mount, numberOrPath(source), numberOrPath(target), type, flags, data);
      checked("mount", result, [source, target, type, flagsOf("MS", flags), data]);
    },
    umount2(parent, name, flags) {
      const result = syscall(nr.umount2, `${parent.number}/${name}`, flags);
      checked("umount2", result, [parent, name, flagsOf("MNT", flags)]);
    },

    // A clone is detached: it is in no namespace until move_mount attaches it, and disappears on close.
    open_tree(dirfd, path, flags) {
      const result = syscall(nr.open_tree, dirfd.number, path, flags | O_CLOEXEC);
      if (result < 0) throw new SystemError("open_tree", [dirfd, path, flagsOf("AT", flags)], result);
      return new Fd(result, path);
    },

    // Without MOVE_MOUNT_T_SYMLINKS the target's last component is not followed.
    move_mount(from, fromPath, to, toPath, flags) {
      const result = syscall(nr.move_mount, from.number, fromPath, to.number, toPath, flags);
      if (result >= 0) return;
      const path = flags & MOVE_MOUNT_F_EMPTY_PATH ? "" : fromPath;
      throw new SystemError("move_mount", [from, path, to, toPath, flagsOf("MOVE_MOUNT", flags)], result);
    },

    // struct mount_attr: u64 attr_set, attr_clr, propagation, userns_fd. attr_clr stays 0: flags that a parent mount
    // has locked cannot be cleared.
    mount_setattr(dirfd, path, flags, attr) {
      words.fill(0, 0, 8);
      words[0] = attr.attrSet;
      words[4] = attr.propagation ?? 0;
      const result = syscall(nr.mount_setattr, dirfd.number, path, flags, scratch, 32);
      if (result >= 0) return;
      throw new SystemError("mount_setattr", [dirfd, path, flagsOf("MOUNT_ATTR", attr.attrSet)], result);
    },

    setns(fd, type) {
      checked("setns", syscall(nr.setns, fd.number, type), [fd, flagsOf("CLONE", type)]);
    },
    unshare(flags) {
      checked("unshare", syscall(nr.unshare, flags), [flagsOf("CLONE", flags)]);
    },
    fchdir(fd) {
      checked("fchdir", syscall(nr.fchdir, fd.number), [fd]);
    },
    // These two never fail: they return the previous id. A refused change shows in the next file's owner.
    setfsuid: (uid) => syscall(nr.setfsuid, uid),
    setfsgid: (gid) => syscall(nr.setfsgid, gid),
    setgroups() {
      const result = syscall(nr.setgroups, 0, null);
      if (result === -EPERM) return false;
      return checked("setgroups", result, []) === 0;
    },
    geteuid: () => syscall(nr.geteuid),
    getpid: () => syscall(nr.getpid),
    umask: (mode) => syscall(nr.umask, mode),
    prctl(option, argument) {
      checked("prctl", syscall(nr.prctl, option, argument, 0, 0, 0), [option, argument]);
    },

    // struct rlimit64: u64 soft, u64 hard.
    prlimit64(resource, limit) {
      view.setBigUint64(0, BigInt(limit), true);
      view.setBigUint64(8, BigInt(limit), true);
      checked("prlimit64", syscall(nr.prlimit64, 0, resource, scratch, null), [0, resource, limit]);
    },
    getrlimit(resource) {
      checked("prlimit64", syscall(nr.prlimit64, 0, resource, null, scratch), [0, resource]);
      return Number(view.getBigUint64(8, true));
    },

    // struct itimerval: the interval and the remaining time, each s64 seconds and microseconds.
    setitimer(seconds) {
      words.fill(0, 0, 8);
      words[4] = seconds;
      checked("setitimer", syscall(nr.setitimer, ITIMER_REAL, scratch, null), [seconds]);
    },

    memfd_create(name, flags) {
      const result = syscall(nr.memfd_create, name, flags);
      return new Fd(checked("memfd_create", result, [name, flagsOf("MFD", flags)]), name);
    },
    fcntl(fd, command, argument) {
      const seals = command === F_ADD_SEALS;
      const shown = seals ? [fd, { text: "F_ADD_SEALS" }, { text: "F_SEAL_ALL" }] : [fd, command, argument];
      return checked("fcntl", syscall(nr.fcntl, fd.number, command, argument), shown);
    },

    // int[2]: the read end first.
    pipe2() {
      checked("pipe2", syscall(nr.pipe2, scratch, O_CLOEXEC), [flagsOf("O", O_CLOEXEC)]);
      return {
        reader: new Fd(view.getInt32(0, true), "pipe"),
        writer: new Fd(view.getInt32(4, true), "pipe"),
      };
    },

    // int[2]: both ends are equal.
    socketpair() {
      const type = SOCK_SEQPACKET | O_CLOEXEC;
      checked("socketpair", syscall(nr.socketpair, AF_UNIX, type, 0, scratch), [AF_UNIX]);
      return {
        reader: new Fd(view.getInt32(0, true), "socket"),
        writer: new Fd(view.getInt32(4, true), "socket"),
      };
    },
    // struct sockaddr_un: u16 family, then the path, which ends with NUL. A service that does not accept makes the call
    // wait, so the socket is non-blocking, and a full queue is EAGAIN.
    connect(path) {
      const type = SOCK_STREAM | O_CLOEXEC | O_NONBLOCK;
      const fd = new Fd(checked("socket", syscall(nr.socket, AF_UNIX, type, 0), [AF_UNIX]), path);
      const name = encodeUtf8(path);
      const address = new Uint8Array(110);
      address[0] = AF_UNIX;
      address.set(name.subarray(0, 107), 2);
      const result = name.length > 107 ? -ENAMETOOLONG : syscall(nr.connect, fd.number, address, 110);
      if (result < 0) system.close(fd);
      checked("connect", result, [path]);
      return fd;
    },
    receiveDescriptor(socket) {
      const { message, control } = descriptorMessage((bytes) => engine.address(bytes), -1);
      const flags = MSG_DONTWAIT | MSG_CMSG_CLOEXEC;
      if (syscall(nr.recvmsg, socket.number, message, flags) !== 1) return undefined;
      const number = new DataView(control.buffer).getInt32(CMSG_DATA, true);
      return number < 0 ? undefined : new Fd(number, "received");
    },

    // A descriptor of -1 is ignored: the call sleeps. struct timespec: s64 seconds, s64 nanoseconds.
    ppoll(fd, timeoutMs) {
      view.setBigInt64(8, BigInt(Math.floor(timeoutMs / 1000)), true);
      view.setBigInt64(16, BigInt((timeoutMs % 1000) * 1_000_000), true);
      const result = poll(fd, POLLIN, scratch.subarray(8));
      if (result === -EINTR || result === -EAGAIN) return false;
      return checked("ppoll", result, [fd ?? -1, timeoutMs]) > 0;
    },
    clock_gettime(clock) {
      checked("clock_gettime", syscall(nr.clock_gettime, clock, scratch), [clock]);
      return Number(view.getBigInt64(0, true)) + view.getUint32(8, true) / 1e9;
    },

    bpf: (command, attribute) => syscall(nr.bpf, command, attribute, attribute.length),

    // The kernel's struct sigaction: handler 0 is SIG_DFL, everything else is zero. The parent process may have ignored
    // SIGCHLD, which execve(2) keeps: the kernel would then reap the child, and wait4(2) fails with ECHILD.
    spawn(cloneFlags, steps, report) {
      scratch.fill(0, 0, 32);
      checked("rt_sigaction", syscall(nr.rt_sigaction, SIGCHLD, scratch, null, 8), [SIGCHLD]);
      const result = withUsualSignals(() => engine.spawn(cloneFlags, steps, report.number));
      return checked("clone", result, [flagsOf("CLONE", cloneFlags)]);
    },

    // The low seven bits are the signal, bits 8 to 15 the exit status.
    wait4(pid, options = 0) {
      const ended = checked(
        "wait4",
        uninterrupted(() => syscall(nr.wait4, pid, scratch, options, null)),
        [pid],
      );
      if (ended === 0) return undefined;
      const status = view.getUint32(0, true);
      return status & 0x7f ? { signalled: status & 0x7f } : { exited: (status >> 8) & 0xff };
    },
    pidfd_open(pid) {
      const result = syscall(nr.pidfd_open, pid, 0);
      return result < 0 ? undefined : new Fd(result, "pidfd");
    },
    ignoreWriteSignals() {
      if (ignored.length > 0) return;
      for (const signal of [SIGPIPE, SIGXFSZ]) {
        const before = new Uint8Array(32);
        scratch.fill(0, 0, 32);
        view.setUint32(0, SIG_IGN, true);
        checked("rt_sigaction", syscall(nr.rt_sigaction, signal, scratch, before, 8), [signal]);
        ignored.push({ signal, before });
      }
    },
    kill(pid, signal) {
      checked("kill", syscall(nr.kill, pid, signal), [pid, signal]);
    },
    execve(path, argv, envp) {
      const result = withUsualSignals(() => syscall(nr.execve, path, argv, envp));
      throw new SystemError("execve", [path], result);
    },

    exit_group(status) {
      for (;;) syscall(nr.exit_group, status);
    },
    address: (bytes) => engine.address(bytes),
    decode: (bytes, start, end) => engine.decode(bytes, start, end),
  };
  return system;
}

/** Standard input, output and error. */
export const STDIN = new Fd(0, "stdin");
export const STDOUT = new Fd(1, "stdout");
export const STDERR = new Fd(2, "stderr");
