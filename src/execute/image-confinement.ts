import { NvociError } from "../model/errors.ts";
import { hostPath } from "../model/paths.ts";
import { quote } from "../model/quote.ts";
import { O_WRONLY } from "../sys/constants.ts";
import { CWD, type Fd } from "../sys/fd.ts";
import { linuxHost } from "../sys/linux-host.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";
import type { Ids, ImageConfinement } from "./confinement.ts";
import { findDeviceCgroup } from "./device-cgroup.ts";

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
