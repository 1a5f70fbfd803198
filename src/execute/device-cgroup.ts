import type { HostView } from "../model/host-view.ts";
import { hostPath } from "../model/paths.ts";
import type { DeviceRule } from "../plan/operation.ts";
import { O_RDONLY } from "../sys/constants.ts";
import { CWD } from "../sys/fd.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { type CgroupLocation, locateDeviceCgroup } from "./cgroup-location.ts";
import { allowInCgroupV1 } from "./cgroup-v1.ts";
import { allowInCgroupV2 } from "./cgroup-v2.ts";
import type { Undo } from "./undo.ts";

/** Grants access to devices. */
export type AllowDevices = (rules: readonly DeviceRule[], undo: Undo) => void;

/** Finds the device cgroup of a process, while the host's mounts are in view. */
export function findDeviceCgroup(system: Syscalls, host: HostView, pid: number): CgroupLocation | undefined {
  // Other mounts' names are anybody's bytes: one that is not UTF-8 must not hide the cgroup's.
  const text = (path: string): string => {
    const bytes = host.readFile(hostPath(path)) ?? new Uint8Array();
    return system.decode(bytes, 0, bytes.length);
  };
  return locateDeviceCgroup(text(`/proc/${pid}/cgroup`), text("/proc/self/mountinfo"));
}

/**
 * Opens the device cgroup of a container, while the host's mounts are in view.
 *
 * @throws NvociError "operation-failed" when it cannot be found, SystemError when it cannot be opened.
 */
export function openDeviceCgroup(system: Syscalls, host: HostView, pid: number): AllowDevices {
  const location = findDeviceCgroup(system, host, pid);
  if (location === undefined) return () => {};
  const cgroup = system.openat(CWD, location.path, O_RDONLY | system.O_DIRECTORY);
  return location.version === 1
    ? (rules, undo) => allowInCgroupV1(system, cgroup, rules, undo)
    : (rules, undo) => allowInCgroupV2(system, cgroup, rules, undo);
}
