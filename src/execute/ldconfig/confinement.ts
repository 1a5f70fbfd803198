import { NvociError } from "../../model/errors.ts";
import { hostPath } from "../../model/paths.ts";
import { O_WRONLY } from "../../sys/constants.ts";
import { linuxHost } from "../../sys/linux-host.ts";
import { CWD, type Fd, type Syscalls } from "../../sys/syscalls.ts";
import { SystemError } from "../../sys/system-error.ts";
import { quote } from "../../text/quote.ts";
import { findDeviceCgroup } from "../cgroup/cgroup-v1.ts";

/*
 * Types alone: what the sandbox of ldconfig is made from, for those who open it and for those who enter it.
 */

/** A user and a group, as the host numbers them. */
export interface Ids {
  readonly uid: number;
  readonly gid: number;
}

/** What a program of the image has in common with the container's own process. */
interface ImageConfinement {
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

/**
 * Opens what makes a program of the image no more than the container's own process, while /proc and the cgroups are the
 * host's.
 *
 * @param pid of the container's init.
 */
export function openImageConfinement(
  system: Syscalls,
  pid: number,
  { user }: { readonly user: Ids },
): ImageConfinement {
  const map = (file: string, id: number): number => mapId(readText(system, `/proc/${pid}/${file}`), id);
  return {
    user: { uid: map("uid_map", user.uid), gid: map("gid_map", user.gid) },
    members: openMembers(system, pid),
  };
}

const readText = (system: Syscalls, path: string): string => {
  const bytes = linuxHost(system).readFile(hostPath(path)) ?? new Uint8Array();
  return system.decode(bytes, 0, bytes.length);
};

/**
 * The host's number of an id.
 *
 * @param map text of /proc/PID/uid_map: first id inside, first id outside, how many.
 * @throws NvociError "operation-failed" for one that the namespace does not have; the runtime would refuse it too.
 * @see user_namespaces(7)
 */
function mapId(map: string, id: number): number {
  for (const line of map.split("\n")) {
    const [inside = 0, outside = 0, count = 0] = line.trim().split(/ +/).map(Number);
    if (id >= inside && id < inside + count) return outside + id - inside;
  }
  throw new NvociError(
    "operation-failed",
    `Cannot run ldconfig as user ${quote(`${id}`)}: the container has no such id`,
  );
}

/** `undefined` where the container has no device cgroup of its own; device nodes are useless in the sandbox anyway. */
function openMembers(system: Syscalls, pid: number): Fd | undefined {
  try {
    const location = findDeviceCgroup(system, linuxHost(system), pid);
    return location && system.openat(CWD, `${location.path}/cgroup.procs`, O_WRONLY);
  } catch (error) {
    if (error instanceof SystemError || !(error instanceof NvociError)) throw error;
    return undefined;
  }
}
