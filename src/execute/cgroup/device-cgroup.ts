import { hostPath } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";
import type { DeviceRule } from "../../plan/operation.ts";
import { O_RDONLY, O_WRONLY } from "../../sys/constants.ts";
import { readAll } from "../../sys/linux-host.ts";
import { CWD, type Fd, type Syscalls } from "../../sys/syscalls.ts";
import type { Undo } from "../undo.ts";
import { type CgroupLocation, locateDeviceCgroup } from "./cgroup-location.ts";
import { allowInCgroupV2 } from "./cgroup-v2.ts";

/** Returns the letters of `access` that devices.list does not grant, by this device's numbers or by a wildcard. */
export function missingAccess(list: string, { type, major, minor, access }: DeviceRule): string {
  let missing = access;
  for (const line of list.split("\n")) {
    const [kind, number, granted] = line.split(" ");
    if (kind !== "a" && kind !== type) continue;
    const [lineMajor, lineMinor] = (number ?? "").split(":");
    const matches = (value: number, text: string | undefined) => text === "*" || text === `${value}`;
    if (!matches(major, lineMajor) || !matches(minor, lineMinor)) continue;
    missing = [...missing].filter((letter) => !granted?.includes(letter)).join("");
  }
  return missing;
}

/**
 * Allows devices in a version 1 cgroup. Access that the cgroup grants already is neither written nor undone.
 *
 * @param cgroup the cgroup's directory.
 * @see https://docs.kernel.org/admin-guide/cgroup-v1/devices.html
 */
export function allowInCgroupV1(
  system: Syscalls,
  cgroup: Fd,
  rules: readonly DeviceRule[],
  undo: Undo,
): void {
  const listFd = system.openat(cgroup, "devices.list", O_RDONLY);
  const bytes = readAll(system, listFd, 0);
  system.close(listFd);
  const list = system.decode(bytes, 0, bytes.length);
  // The kernel accepts one rule per write.
  const write = (file: string, text: string): void => {
    const fd = system.openat(cgroup, file, O_WRONLY);
    try {
      system.write(fd, text);
    } finally {
      system.close(fd);
    }
  };
  for (const rule of rules) {
    const access = missingAccess(list, rule);
    if (access === "") continue;
    const text = `${rule.type} ${rule.major}:${rule.minor} ${access}`;
    write("devices.allow", text);
    undo.add(() => write("devices.deny", text));
  }
}

/** Grants access to devices. */
export type AllowDevices = (rules: readonly DeviceRule[], undo: Undo) => void;

/**
 * Finds the device cgroup of a process. Call it while the host's mounts are visible.
 *
 * @returns `undefined` when the process is in the root cgroup.
 * @throws {NvociError} "operation-failed" when the cgroup cannot be found.
 */
export function findDeviceCgroup(system: Syscalls, host: HostView, pid: number): CgroupLocation | undefined {
  // Any user can name a mount. A name that is not UTF-8 must not hide the cgroup's mount.
  const text = (path: string): string => {
    const bytes = host.readFile(hostPath(path)) ?? new Uint8Array();
    return system.decode(bytes, 0, bytes.length);
  };
  return locateDeviceCgroup(text(`/proc/${pid}/cgroup`), text("/proc/self/mountinfo"));
}

/**
 * Opens the device cgroup of a container. Call it while the host's mounts are visible.
 *
 * @throws {NvociError} "operation-failed" when the cgroup cannot be found.
 * @throws {SystemError} when the cgroup cannot be opened.
 */
export function openDeviceCgroup(system: Syscalls, host: HostView, pid: number): AllowDevices {
  const location = findDeviceCgroup(system, host, pid);
  if (location === undefined) return () => {};
  const cgroup = system.openat(CWD, location.path, O_RDONLY | system.O_DIRECTORY);
  return location.version === 1
    ? (rules, undo) => allowInCgroupV1(system, cgroup, rules, undo)
    : (rules, undo) => allowInCgroupV2(system, cgroup, rules, undo);
}
