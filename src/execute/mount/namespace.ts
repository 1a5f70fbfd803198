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

/** The container as the runtime has prepared it: init exists, the root is mounted, nothing of the image has run. */
interface Container {
  /** Pid of the container's init, in our pid namespace. */
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
 * Opens /proc/self/fd for use as current directory, and makes sure that it is procfs: what lies over /proc could
 * otherwise answer every look-up of a descriptor's number.
 */
function openDescriptorDirectory(system: Syscalls): Fd {
  const fd = system.openat(CWD, "/proc/self/fd", O_PATH | system.O_DIRECTORY);
  if (system.fstatfs(fd).type !== PROC_SUPER_MAGIC) {
    throw new NvociError("operation-failed", 'Cannot use "/proc/self/fd": it is not on a proc file system');
  }
  return fd;
}

/**
 * Enters the container's mount namespace, before the runtime has pivoted: host paths still lead to the host's files.
 * Afterwards the current directory is /proc/self/fd. There is no way back; the process ends there.
 *
 * @returns an O_PATH descriptor of the container's root directory.
 * @throws NvociError "operation-failed" when the container shares the caller's mount namespace: what is mounted for
 * it would be mounted on the host.
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
  // Threads of one process share the current directory; setns(2) refuses as long as they do.
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
 * Lets the process have as many files open as it may: every directory that is injected into stays open, and a
 * service is started with a limit of 1024.
 *
 * @see getrlimit(2), RLIMIT_NOFILE
 */
export function allowOpenFiles(system: Syscalls): void {
  system.prlimit64(RLIMIT_NOFILE, system.getrlimit(RLIMIT_NOFILE));
}

/** In seconds; a start takes milliseconds. A container that runs on the same root can keep the lock for ever. */
const TIMEOUT_S = 10;
const PAUSE_MS = 10;

/** The right to work on a root file system alone. */
interface RootLock {
  /** Whether it was had; if not, another start may work there at the same time. */
  readonly alone: boolean;
  release(): void;
}

/**
 * Waits until no other start works on the same root file system. Two at once are one after the other then: what one
 * makes and takes back again, no other has mounted anything upon.
 *
 * A lock ends with its process. Where it cannot be had in time, or the file system has none, work goes on without.
 *
 * @throws SystemError when the machine fails.
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
      // Nobody writes: this waits.
      system.ppoll(reader, PAUSE_MS);
      if (system.flock(fd, LOCK_EX | LOCK_NB)) return true;
    }
    return false;
  } finally {
    system.close(reader);
    system.close(writer);
  }
}

/** Whose rights decide what the process may do to files. */
export interface Identity {
  /** Does something with the host's rights: its cgroup files are root's. */
  asHost<T>(action: () => T): T;
  /** Takes the host's rights back for good. */
  end(): void;
}

/**
 * Takes the rights of a container's root to files, where a user namespace makes them less than ours: its ids, no
 * groups, and none of the capabilities for files, which the kernel drops with the id of root and gives back with it
 * (capabilities(7), "Effect of user ID changes on capabilities"). Nothing can be done to a file then that the
 * container's root could not do itself; the right to mount stays. What is made belongs to it, too: the file systems
 * of a user namespace refuse inodes whose owner they cannot name (EOVERFLOW).
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
