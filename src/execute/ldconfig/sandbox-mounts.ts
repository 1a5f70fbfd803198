import {
  AT_FDCWD,
  AT_RECURSIVE,
  MNT_DETACH,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  MS_BIND,
  MS_MOVE,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_REMOUNT,
  O_CREAT,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
} from "../../sys/constants.ts";
import { ENOSYS, ENOTDIR } from "../../sys/errno.ts";
import { ANY_ERROR, type StepList } from "../../sys/step-list.ts";
import type { Fd } from "../../sys/syscalls.ts";
import type { MountBelow } from "../mount/mount-table.ts";
import type { Confinement, Ids } from "./confinement.ts";

export const CONFIGURATION_FILE = "/dev/ld.so.conf";
export const RESULTS = "/dev/results";

/**
 * Makes the whole tree private, so that later mounts stay in this namespace, and pivots to the current directory.
 */
export function enterRoot(steps: StepList, { rebind, noPivot }: Confinement): void {
  steps.call("mount", [null, "/", null, MS_REC | MS_PRIVATE, null]);
  if (rebind !== undefined) {
    steps.call("mount", [rebind, rebind, null, MS_BIND | MS_REC, null]).call("chdir", [rebind]);
  }
  if (noPivot) {
    steps.call("mount", [".", "/", null, MS_MOVE, null]).call("chroot", ["."]);
  } else {
    steps.call("pivot_root", [".", "."]).call("umount2", [".", MNT_DETACH]);
  }
  steps.call("chdir", ["/"]);
}

/** Returns a path with its terminating zero byte. */
const terminated = (path: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(path.length + 1);
  bytes.set(path);
  return bytes;
};

/**
 * Makes every mount read-only, nosuid and nodev. Device nodes of an image or a volume must be useless, because the
 * host's ldconfig runs in the hook's device cgroup, which allows everything. Paths are the kernel's own bytes, so
 * each leads to its mount; one that does not is an error.
 */
export function forbidChanges(steps: StepList, mounts: readonly MountBelow[]): void {
  const attributes = new Uint8Array(32);
  const all = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID;
  new DataView(attributes.buffer).setUint32(0, all, true);
  steps.call("mount_setattr", [AT_FDCWD, "/", AT_RECURSIVE, attributes, attributes.length], ENOSYS);
  for (const { path, flags } of mounts) {
    const remount = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV | MS_NOSUID | flags;
    steps.call("mount", [null, terminated(path), null, remount, null]);
  }
}

/**
 * Covers volumes and other mounts that are not the image's, inner ones first. They are not unmounted, because a
 * user namespace's mounts are locked. A mount on a file (ENOTDIR) stays, read-only; see `coverSilentFiles`.
 */
export function coverMounts(steps: StepList, foreign: readonly MountBelow[]): void {
  const flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY;
  for (const { path } of [...foreign].reverse()) {
    if (path.length === 1) continue;
    steps.call("mount", ["tmpfs", terminated(path), "tmpfs", flags, "mode=0555,size=4k"], ENOTDIR);
  }
}

/**
 * Covers silent mounts on files with the configuration file. A mount's type cannot be requested, so this tries all
 * of them: directories are covered by now and refuse, and mounts in /dev, /proc and /sys are gone.
 */
export function coverSilentFiles(steps: StepList, silent: readonly MountBelow[]): void {
  for (const { path } of silent) {
    steps.call("mount", [CONFIGURATION_FILE, terminated(path), null, MS_BIND, null], ANY_ERROR);
  }
}

/**
 * Covers /proc, /sys and /dev, so that an image's ldconfig, or one that the image's libraries have taken over,
 * finds neither the kernel's files nor devices. /dev gets the configuration and the only writable directory: a
 * tmpfs that no other process sees. The hook receives a descriptor of it, which outlives the namespace.
 *
 * Paths are resolved after the change of root, so the image's links cannot lead out.
 */
export function coverKernel(
  steps: StepList,
  configuration: Uint8Array,
  results: Fd,
  { uid, gid }: Ids,
): void {
  const flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  const size = "mode=0755,size=1m";
  for (const path of ["/proc", "/sys"]) {
    steps.call("mount", ["tmpfs", path, "tmpfs", flags | MS_RDONLY, size], ANY_ERROR);
  }
  steps
    .call("mount", ["tmpfs", "/dev", "tmpfs", flags, size])
    // The next open then returns descriptor 0.
    .call("close", [0])
    .call("openat", [AT_FDCWD, CONFIGURATION_FILE, O_CREAT | O_WRONLY, 0o444])
    .call("write", [0, configuration, configuration.length])
    .call("close", [0])
    .call("mkdirat", [AT_FDCWD, RESULTS, 0o700])
    .call("mount", [
      "tmpfs",
      RESULTS,
      "tmpfs",
      flags,
      `mode=0700,uid=${uid},gid=${gid},size=33m,nr_inodes=16`,
    ])
    .call("openat", [AT_FDCWD, RESULTS, O_PATH, 0])
    .call("sendmsg", [results.number, steps.message(0), 0])
    .call("close", [0])
    .call("mount", [null, "/dev", null, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, null])
    .call("openat", [AT_FDCWD, CONFIGURATION_FILE, O_RDONLY, 0]);
}
