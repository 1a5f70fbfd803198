import type { Syscalls } from "../sys/syscalls.ts";
import type { Confinement } from "./confinement.ts";

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
