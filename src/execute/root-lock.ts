import { ignorable } from "../model/errors.ts";
import { CLOCK_MONOTONIC, LOCK_EX, LOCK_NB, O_RDONLY } from "../sys/constants.ts";
import type { Fd } from "../sys/fd.ts";
import type { Syscalls } from "../sys/syscalls.ts";

/** In seconds; a start takes milliseconds. A container that runs on the same root can keep the lock for ever. */
const PATIENCE = 10;
const PAUSE_MS = 10;

/** The right to work on a root file system alone. */
export interface RootLock {
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
    const end = system.clock_gettime(CLOCK_MONOTONIC) + PATIENCE;
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
