import type { Fd } from "../sys/fd.ts";

/*
 * Types alone: what the sandbox of ldconfig is made from, for those who open it and for those who enter it.
 */

/** A user and a group, as the host numbers them. */
export interface Ids {
  readonly uid: number;
  readonly gid: number;
}

/** What a program of the image has in common with the container's own process. */
export interface ImageConfinement {
  /** Ids of `process.user`. */
  readonly user: Ids;
  /** `cgroup.procs` of the container's device cgroup, open for writing; `undefined` where it has none of its own. */
  readonly members: Fd | undefined;
}

/** What a confined child has in common with the container. */
export interface Confinement {
  /** Namespaces of the container that the child joins: abstract sockets and shared memory are then its own. */
  readonly network: Fd;
  readonly ipc: Fd;
  /** Ids of the container's root, as the host numbers them. The host's ldconfig runs with them. */
  readonly owner: Ids;
  /** For a program of the image: what confines it as the container's own process. */
  readonly image: ImageConfinement | undefined;
  /** The root's path on the host, given when the mounts are locked by a user namespace and have to be bound anew. */
  readonly rebind: string | undefined;
  /** The host runs from its initial ramdisk, which pivot_root(2) cannot leave. */
  readonly noPivot: boolean;
}
