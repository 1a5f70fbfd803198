import type { Arch } from "../model/machine.ts";
import {
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  CLONE_FS,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUTS,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
  MNT_DETACH,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  MOVE_MOUNT_F_EMPTY_PATH,
  MS_BIND,
  MS_MOVE,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_REMOUNT,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_NONBLOCK,
  O_PATH,
  O_RDWR,
  O_WRONLY,
  OPEN_TREE_CLONE,
  openFlags,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
  UMOUNT_NOFOLLOW,
} from "./constants.ts";

/** A set of flags that an argument of a call may have, by prefix. */
export type FlagSet = "O" | "AT" | "RESOLVE" | "MS" | "MNT" | "MOUNT_ATTR" | "MOVE_MOUNT" | "CLONE" | "MFD";

/** Returns the flags of a set by name. A function, because only a failed call needs them. */
function flagsOf(set: FlagSet, machine: Arch): Readonly<Record<string, number>> {
  switch (set) {
    case "O": {
      const { O_DIRECTORY, O_NOFOLLOW } = openFlags(machine);
      const access = { O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_APPEND, O_NONBLOCK };
      return { ...access, O_DIRECTORY, O_NOFOLLOW, O_CLOEXEC, O_PATH };
    }
    case "AT":
      return { AT_SYMLINK_NOFOLLOW, AT_REMOVEDIR, AT_EMPTY_PATH, AT_RECURSIVE, OPEN_TREE_CLONE };
    case "RESOLVE":
      return { RESOLVE_NO_MAGICLINKS, RESOLVE_IN_ROOT };
    case "MS": {
      const options = { MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC };
      return { ...options, MS_REMOUNT, MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE };
    }
    case "MNT":
      return { MNT_DETACH, UMOUNT_NOFOLLOW };
    case "MOUNT_ATTR":
      return { MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC };
    case "MOVE_MOUNT":
      return { MOVE_MOUNT_F_EMPTY_PATH };
    case "CLONE":
      return { CLONE_FS, CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET };
    case "MFD":
      return { MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_EXEC };
  }
}

/** Formats flags as strace(1) does: `MS_BIND|MS_REC`, unknown bits in hexadecimal at the end, `0` for no flags. */
export function flagNames(set: FlagSet, value: number, machine: Arch): string {
  const names: string[] = [];
  let rest = value;
  for (const [name, flag] of Object.entries(flagsOf(set, machine))) {
    if ((rest & flag) !== flag) continue;
    names.push(name);
    rest &= ~flag;
  }
  // The access mode is a number, not a bit; O_RDONLY is 0.
  if (set === "O" && (value & 3) === 0 && (value & O_PATH) === 0) names.unshift("O_RDONLY");
  if (rest !== 0) names.push(`0x${(rest >>> 0).toString(16)}`);
  return names.join("|") || "0";
}

const TYPES: Readonly<Record<string, number>> = { S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO };

/** Formats a mode as strace(1) does: `0755`, `S_IFCHR|0666`. */
export function modeName(mode: number): string {
  const [type] = Object.entries(TYPES).find(([, value]) => (mode & S_IFMT) === value) ?? [];
  const bits = (type === undefined ? mode : mode & ~S_IFMT).toString(8).padStart(3, "0");
  return `${type === undefined ? "" : `${type}|`}0${bits}`;
}
