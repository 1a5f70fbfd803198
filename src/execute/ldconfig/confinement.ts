import { NvociError } from "../../model/errors.ts";
import { hostPath } from "../../model/paths.ts";
import { O_WRONLY } from "../../sys/constants.ts";
import { linuxHost } from "../../sys/linux-host.ts";
import { CWD, type Fd, type Syscalls } from "../../sys/syscalls.ts";
import { SystemError } from "../../sys/system-error.ts";
import { quote } from "../../text/quote.ts";
import { findDeviceCgroup } from "../cgroup/device-cgroup.ts";

/** A user id and a group id, as the host numbers them. */
export interface Ids {
  readonly uid: number;
  readonly gid: number;
}

/** What a program of the image shares with the container's own process. */
interface ImageConfinement {
  /** Ids of `process.user`. */
  readonly user: Ids;
  /** `cgroup.procs` of the container's device cgroup, open for writing; `undefined` when it has none. */
  readonly members: Fd | undefined;
}

/** What a confined child shares with the container. */
export interface Confinement {
  /**
   * Namespaces of the container that the child joins, so that it reaches no abstract socket or shared memory of
   * the host.
   */
  readonly network: Fd;
  readonly ipc: Fd;
  /** The container's root user, as the host numbers it. The host's ldconfig runs with these ids. */
  readonly owner: Ids;
  /** Confines a program of the image like the container's own process. */
  readonly image: ImageConfinement | undefined;
  /**
   * The root's path on the host. Given when a user namespace locks the mounts, so that the root must be bound
   * again.
   */
  readonly rebind: string | undefined;
  /** The host runs from its initial ramdisk, which pivot_root(2) cannot leave. */
  readonly noPivot: boolean;
}

/**
 * Opens what limits a program of the image to the rights of the container's own process. Call it while /proc and
 * the cgroups are the host's.
 *
 * @param pid the pid of the container's init.
 * @throws {NvociError} "operation-failed" when the user namespace does not map the user.
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
 * Returns the host's number of an id.
 *
 * @param map text of /proc/PID/uid_map: first id inside, first id outside, count.
 * @throws {NvociError} "operation-failed" when the namespace does not map the id; the runtime would refuse it too.
 * @see user_namespaces(7)
 */
function mapId(map: string, id: number): number {
  for (const line of map.split("\n")) {
    const [inside = 0, outside = 0, count = 0] = line.trim().split(/ +/).map(Number);
    if (id >= inside && id < inside + count) return outside + id - inside;
  }
  throw new NvociError(
    "operation-failed",
    `Cannot run ldconfig with id ${quote(`${id}`)}: the container's user namespace does not map it`,
  );
}

/** Returns `undefined` when the container has no device cgroup; device nodes are useless in the sandbox anyway. */
function openMembers(system: Syscalls, pid: number): Fd | undefined {
  try {
    const location = findDeviceCgroup(system, linuxHost(system), pid);
    return location && system.openat(CWD, `${location.path}/cgroup.procs`, O_WRONLY);
  } catch (error) {
    if (error instanceof SystemError || !(error instanceof NvociError)) throw error;
    return undefined;
  }
}
