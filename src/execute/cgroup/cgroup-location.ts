import { NvociError } from "../../model/errors.ts";
import { type HostPath, hostPath, isWithin } from "../../model/paths.ts";
import { quote } from "../../text/quote.ts";
import { isDeviceHierarchy, parseMountTable } from "../mount/mount-table.ts";

/** The cgroup with the device rules of a process. */
export interface CgroupLocation {
  readonly version: 1 | 2;
  /** Directory of the process's cgroup. */
  readonly path: HostPath;
}

/**
 * Returns the process's path in the `devices` hierarchy (version 1) or the unified one (version 2).
 *
 * @see cgroups(7)
 */
function cgroupPath(cgroup: string, version: 1 | 2): string | undefined {
  for (const line of cgroup.split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    if (version === 2 ? controllers === "" : controllers.split(",").includes("devices")) return path;
  }
  return undefined;
}

/**
 * Finds the cgroup that controls a container's devices: version 1 if the process is in a mounted `devices`
 * hierarchy, otherwise version 2. Hybrid hosts have both and use version 1.
 *
 * @param cgroup text of /proc/PID/cgroup of the container's init.
 * @param mountinfo text of /proc/self/mountinfo.
 * @returns `undefined` when the process is in the root cgroup, where there is nothing to allow.
 * @throws {NvociError} "operation-failed" when neither hierarchy is mounted, or the cgroup is outside the mount.
 */
export function locateDeviceCgroup(cgroup: string, mountinfo: string): CgroupLocation | undefined {
  const table = parseMountTable(mountinfo);
  for (const version of [1, 2] as const) {
    const path = cgroupPath(cgroup, version);
    const mounted = table.filter((mount) => isDeviceHierarchy(mount, version));
    // Part of the hierarchy may be mounted elsewhere, for a chroot or a container on the host.
    const hierarchy = mounted.find(({ root }) => isWithin(path ?? "", root)) ?? mounted[0];
    if (path === undefined || hierarchy === undefined) continue;
    if (path === "/") return undefined;
    if (path.startsWith("/..") || !isWithin(path, hierarchy.root)) {
      throw new NvociError(
        "operation-failed",
        `Cannot find the device cgroup ${quote(path, 4096)}: the hierarchy mounted on ${quote(hierarchy.point, 4096)} starts at ${quote(hierarchy.root, 4096)}`,
        { hint: "run the hook in the host's cgroup namespace, or set no-cgroups = true in config.toml" },
      );
    }
    const rest = hierarchy.root === "/" ? path : path.slice(hierarchy.root.length);
    return { version, path: hostPath(`${hierarchy.point}/${rest}`) };
  }
  throw new NvociError(
    "operation-failed",
    "Cannot find the container's device cgroup: neither a devices hierarchy nor cgroup2 is mounted",
    { hint: "set no-cgroups = true in config.toml if the runtime grants device access itself" },
  );
}
