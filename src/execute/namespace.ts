import { NvociError } from "../model/errors.ts";
import type { HostPath } from "../model/paths.ts";
import { quote } from "../model/quote.ts";
import {
  AT_EMPTY_PATH,
  CLONE_FS,
  CLONE_NEWNS,
  O_PATH,
  O_RDONLY,
  PROC_SUPER_MAGIC,
} from "../sys/constants.ts";
import { CWD, type Fd } from "../sys/fd.ts";
import type { Syscalls } from "../sys/syscalls.ts";

/** The container as the runtime has prepared it: init exists, the root is mounted, nothing of the image has run. */
export interface Container {
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
