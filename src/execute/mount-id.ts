import { O_RDONLY } from "../sys/constants.ts";
import { CWD, type Fd } from "../sys/fd.ts";
import { readAll } from "../sys/linux-host.ts";
import type { Syscalls } from "../sys/syscalls.ts";

const MOUNT_ID = /^mnt_id:\s*(\d+)$/m;

/**
 * Mountinfo's number of the mount that an open file is on, which no name can change. The kernel knows it by itself: no
 * file system is asked.
 */
export const mountId = (system: Syscalls, fd: Fd): number =>
  system.statxMountId(fd) ?? fromFdinfo(system, fd);

/**
 * Before Linux 5.8. Before 5.14 only the owner may look into fdinfo, which is root once a process has taken another
 * id for its file accesses.
 *
 * @see proc_pid_fdinfo(5)
 */
function fromFdinfo(system: Syscalls, fd: Fd): number {
  const id = system.setfsuid(0);
  try {
    const info = system.openat(CWD, `/proc/self/fdinfo/${fd.number}`, O_RDONLY);
    const bytes = readAll(system, info, 0);
    system.close(info);
    return Number(MOUNT_ID.exec(system.decode(bytes, 0, bytes.length))?.[1]);
  } finally {
    system.setfsuid(id);
  }
}
