import { ignorable, NvociError } from "../../model/errors.ts";
import type { HostPath } from "../../model/paths.ts";
import {
  AT_EMPTY_PATH,
  CLOCK_MONOTONIC,
  CLONE_FS,
  CLONE_NEWNS,
  LOCK_EX,
  LOCK_NB,
  O_PATH,
  O_RDONLY,
  PROC_SUPER_MAGIC,
  RLIMIT_NOFILE,
} from "../../sys/constants.ts";
import { CWD, type Fd, type Syscalls } from "../../sys/syscalls.ts";
import { quote } from "../../text/quote.ts";
import type { Confinement } from "../ldconfig/confinement.ts";

/**
 * The container as the runtime prepared it: init exists, the root is mounted, and nothing of the image has run.
 */
interface Container {
  /** Pid of the container's init in our pid namespace. */
  readonly pid: number;
  /** `root.path`, absolute, in the host's file system. */
  readonly rootPath: HostPath;
}

const sameObject = (system: Syscalls, a: Fd, b: Fd): boolean => {
  const first = system.statx(a, "", AT_EMPTY_PATH);
  const second = system.statx(b, "", AT_EMPTY_PATH);
  return first !== undefined && first.inode === second?.inode && first.device === second.device;
};

/**
 * Opens /proc/self/fd for use as the current directory.
 *
 * @throws {NvociError} "operation-failed" when it is not procfs: a mount over /proc could otherwise redirect every
 * look-up of a descriptor's number.
 */
function openDescriptorDirectory(system: Syscalls): Fd {
  const fd = system.openat(CWD, "/proc/self/fd", O_PATH | system.O_DIRECTORY);
  if (system.fstatfs(fd).type !== PROC_SUPER_MAGIC) {
    throw new NvociError("operation-failed", 'Cannot use "/proc/self/fd": it is not on a proc file system');
  }
  return fd;
}

/**
 * Enters the container's mount namespace for the rest of the process. The runtime has not pivoted yet, so host
 * paths still lead to the host's files. The current directory becomes /proc/self/fd.
 *
 * @returns an O_PATH descriptor of the container's root directory.
 * @throws {NvociError} "operation-failed" when the container shares the caller's mount namespace, or its root is
 * the host's: the mounts would be made on the host.
 */
export function enterContainer(system: Syscalls, { pid, rootPath }: Container): Fd {
  const descriptors = openDescriptorDirectory(system);
  const own = system.openat(CWD, "/proc/self/ns/mnt", O_RDONLY);
  const namespace = system.openat(CWD, `/proc/${pid}/ns/mnt`, O_RDONLY);
  if (sameObject(system, own, namespace)) {
    throw new NvociError(
      "operation-failed",
      `Cannot inject into process ${pid}: it shares the mount namespace of the host`,
    );
  }
  // setns(2) fails while threads share the current directory.
  system.unshare(CLONE_FS);
  system.setns(namespace, CLONE_NEWNS);
  const root = system.openat(CWD, rootPath, O_PATH | system.O_DIRECTORY);
  const hostRoot = system.openat(CWD, "/", O_PATH | system.O_DIRECTORY);
  if (sameObject(system, root, hostRoot)) {
    throw new NvociError(
      "operation-failed",
      `Cannot inject into ${quote(rootPath, 4096)}: it is the host's own root`,
    );
  }
  system.fchdir(descriptors);
  for (const fd of [descriptors, own, namespace, hostRoot]) system.close(fd);
  return root;
}

/**
 * Raises the limit on open files to its maximum. Every directory that nvoci works in stays open, and services
 * start with a limit of 1024.
 *
 * @see getrlimit(2), RLIMIT_NOFILE
 */
export function allowOpenFiles(system: Syscalls): void {
  system.prlimit64(RLIMIT_NOFILE, system.getrlimit(RLIMIT_NOFILE));
}

/** In seconds; a start takes milliseconds. A running container on the same root can keep the lock forever. */
const TIMEOUT_S = 10;
const PAUSE_MS = 10;

/** The exclusive right to work on a root file system. */
interface RootLock {
  /** Whether the lock was acquired. If not, another start may work there at the same time. */
  readonly alone: boolean;
  release(): void;
}

/**
 * Waits until no other start works on the same root file system. Concurrent starts then run one after the other,
 * so none mounts on a file that another makes and removes again.
 *
 * The lock ends with its process. If it is not acquired in time, or the file system has no locks, work continues
 * without it.
 *
 * @throws {SystemError} when the machine fails.
 */
export function lockRoot(system: Syscalls, root: Fd): RootLock {
  let fd: Fd | undefined;
  let alone = false;
  try {
    fd = system.openat(root, ".", O_RDONLY | system.O_DIRECTORY);
    alone = system.flock(fd, LOCK_EX | LOCK_NB) || isLockedInTime(system, fd);
  } catch (error) {
    ignorable(error);
  }
  return { alone, release: () => fd && system.close(fd) };
}

function isLockedInTime(system: Syscalls, fd: Fd): boolean {
  const { reader, writer } = system.pipe2();
  try {
    const end = system.clock_gettime(CLOCK_MONOTONIC) + TIMEOUT_S;
    while (system.clock_gettime(CLOCK_MONOTONIC) < end) {
      // Nothing is ever written, so this only waits.
      system.ppoll(reader, PAUSE_MS);
      if (system.flock(fd, LOCK_EX | LOCK_NB)) return true;
    }
    return false;
  } finally {
    system.close(reader);
    system.close(writer);
  }
}

/** Controls whose rights the process uses for file accesses. */
export interface Identity {
  /** Runs an action with the host's rights: root owns the host's cgroup files. */
  asHost<T>(action: () => T): T;
  /** Returns to the host's rights for good. */
  end(): void;
}

/**
 * Switches file accesses to the rights of a container's root, if a user namespace makes them fewer than ours: its
 * ids, no groups, and none of the capabilities for file access, which the kernel drops and restores with root's
 * file system id (capabilities(7), "Effect of user ID changes on capabilities"). nvoci can then do nothing to a
 * file that the container's root could not do. It can still mount. New files belong to the container's root, which
 * a user namespace's file systems require: they refuse inodes whose owner they cannot map (EOVERFLOW).
 */
export function asOwner(system: Syscalls, { uid, gid }: Confinement["owner"]): Identity {
  if (uid === 0 && gid === 0) return { asHost: (action) => action(), end: () => {} };
  const become = (user: number, group: number): void => {
    system.setfsgid(group);
    system.setfsuid(user);
  };
  const enter = () => become(uid, gid);
  const leave = () => become(0, 0);
  system.setgroups();
  enter();
  return {
    asHost(action) {
      leave();
      try {
        return action();
      } finally {
        enter();
      }
    },
    end: leave,
  };
}
