import { dirname, isWithin } from "../../model/paths.ts";
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, O_RDONLY } from "../../sys/constants.ts";
import { readAll } from "../../sys/linux-host.ts";
import { CWD, type Fd, type Syscalls } from "../../sys/syscalls.ts";
import { encodeUtf8 } from "../../text/utf8.ts";

/** One mount of a mount namespace. */
export interface MountEntry {
  readonly id: number;
  /** The file system's device, `8:1`. */
  readonly device: string;
  /** The directory of the file system that is its root. */
  readonly root: string;
  /** The mount point, as the process that reads the table sees it. */
  readonly point: string;
  /** MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC. */
  readonly flags: number;
  /** New mounts on it appear in its peers in other namespaces too. */
  readonly shared: boolean;
  /** The file system's type, `tmpfs`. */
  readonly type: string;
  /** Options of the file system itself, separated by commas. */
  readonly superOptions: string;
}

/** The types of FUSE: `fuse`, `fuseblk`, `fuse.sshfs`. `fusectl` is the kernel's own list of them. */
const FUSE = /^fuse(?!ctl$)/;

/** The hierarchy of a version of cgroups that decides on devices. @see cgroups(7) */
export const isDeviceHierarchy = ({ type, superOptions }: MountEntry, version: 1 | 2): boolean =>
  version === 2 ? type === "cgroup2" : type === "cgroup" && superOptions.split(",").includes("devices");

/**
 * Reports whether a mount may never respond. Any user's program can serve FUSE, and a process that waits for it
 * cannot be killed once the program has read the request. So nvoci requests nothing of such a mount: neither its
 * content nor the attributes of its root.
 */
export const isSilent = ({ type }: MountEntry): boolean => FUSE.test(type);

const FLAGS: Readonly<Record<string, number>> = {
  ro: MS_RDONLY,
  nosuid: MS_NOSUID,
  nodev: MS_NODEV,
  noexec: MS_NOEXEC,
};

/** Decodes a path, in which spaces and backslashes are three octal digits. */
const fromOctal = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

/**
 * Parses a mountinfo file, in its order: a later mount can cover an earlier one.
 *
 * @see proc_pid_mountinfo(5)
 */
export function parseMountTable(text: string): MountEntry[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const fields = line.split(" ");
      const dash = fields.indexOf("-", 6);
      const optional = fields.slice(6, dash);
      return {
        id: Number(fields[0]),
        device: fields[2] ?? "",
        root: fromOctal(fields[3] ?? ""),
        point: fromOctal(fields[4] ?? ""),
        flags: (fields[5] ?? "").split(",").reduce((sum, option) => sum | (FLAGS[option] ?? 0), 0),
        shared: optional.some((field) => field.startsWith("shared:")),
        type: fields[dash + 1] ?? "",
        superOptions: fields[dash + 3] ?? "",
      };
    });
}

function readMountInfoBytes(system: Syscalls, process = "/proc/self"): Uint8Array {
  const fd = system.openat(CWD, `${process}/mountinfo`, O_RDONLY);
  const bytes = readAll(system, fd, 0);
  system.close(fd);
  return bytes;
}

/** Returns the text of a process's mount table; the caller's by default. */
export function readMountInfo(system: Syscalls, process?: string): string {
  const bytes = readMountInfoBytes(system, process);
  return system.decode(bytes, 0, bytes.length);
}

/** Returns a string with one character per byte, because names need not be UTF-8. */
function binary(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096)
    text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

const unbinary = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** A mount below a directory. */
export interface MountBelow {
  /** Its path as seen from the directory, in the kernel's bytes. */
  readonly path: Uint8Array;
  readonly flags: number;
  /** See `isSilent`. Always `false` for the directory's own mount. */
  readonly silent: boolean;
}

/**
 * Returns the mount of a directory and all reachable mounts below it. If one place has several mounts, only the
 * topmost is returned. Directories come before their content.
 */
export function mountsBelow(system: Syscalls, directory: Fd): MountBelow[] {
  const root = binary(encodeUtf8(system.readlinkat(CWD, `/proc/self/fd/${directory.number}`) ?? "/"));
  const all = parseMountTable(binary(readMountInfoBytes(system))).filter(({ point }) =>
    isWithin(point, root),
  );
  // A later mount covers earlier ones at the same place and below it.
  const later = new Set<string>();
  const shown: MountBelow[] = [];
  for (const mount of all.reverse()) {
    const { point, flags } = mount;
    if (isCovered(point, later)) continue;
    later.add(point);
    const path = unbinary(point.slice(root === "/" ? 0 : root.length) || "/");
    shown.push({ path, flags, silent: path.length > 1 && isSilent(mount) });
  }
  return shown.reverse();
}

/** Returns the mounts that are not inside a silent one, because a path through it would access it. */
export function outsideSilent(
  mounts: readonly MountBelow[],
  all: readonly MountBelow[],
): readonly MountBelow[] {
  const silent = new Set(all.filter((mount) => mount.silent).map(({ path }) => binary(path)));
  if (silent.size === 0) return mounts;
  return mounts.filter(({ path }) => path.length === 1 || !isCovered(dirname(binary(path)), silent));
}

/** Reports whether a path or one of its parent directories is among the others. */
function isCovered(path: string, others: ReadonlySet<string>): boolean {
  for (let part = path; ; part = dirname(part)) {
    if (others.has(part)) return true;
    if (part === "/") return false;
  }
}

const MOUNT_ID = /^mnt_id:\s*(\d+)$/m;

/**
 * Returns the mount id (as in mountinfo) of an open file, which no name can influence. The kernel knows it without
 * a request to the file system.
 */
export const mountId = (system: Syscalls, fd: Fd): number =>
  system.statxMountId(fd) ?? fromFdinfo(system, fd);

/**
 * Reads the mount id before Linux 5.8. Before 5.14 only the owner may read fdinfo, and the owner is root once the
 * process has changed its file system id.
 *
 * @see proc_pid_fdinfo(5)
 */
function fromFdinfo(system: Syscalls, fd: Fd): number {
  const id = system.setfsuid(0);
  try {
    const info = system.openat(CWD, `/proc/self/fdinfo/${fd.number}`, O_RDONLY);
    const bytes = readAll(system, info, 0);
    system.close(info);
    return Number(MOUNT_ID.exec(system.decode(bytes, 0, bytes.length))?.[1]);
  } finally {
    system.setfsuid(id);
  }
}
