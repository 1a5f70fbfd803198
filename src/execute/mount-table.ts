import { isWithin } from "../model/paths.ts";
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, O_RDONLY } from "../sys/constants.ts";
import { CWD, type Fd } from "../sys/fd.ts";
import { readAll } from "../sys/linux-host.ts";
import type { Syscalls } from "../sys/syscalls.ts";

/** One mount of a mount namespace. */
export interface MountEntry {
  readonly id: number;
  /** Where it is, as a path of the process that reads the table. */
  readonly point: string;
  /** The file system's type, such as `ext4` or `fuse.sshfs`. */
  readonly type: string;
  /** MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC. */
  readonly flags: number;
  /** Mounts made on it appear in its peers too, in other namespaces. */
  readonly shared: boolean;
}

const FLAGS: Readonly<Record<string, number>> = {
  ro: MS_RDONLY,
  nosuid: MS_NOSUID,
  nodev: MS_NODEV,
  noexec: MS_NOEXEC,
};

/** Blanks and backslashes in paths are written as three octal digits. */
const fromOctal = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

/**
 * Reads the text of a mountinfo file, in its order: what comes later can lie over what comes before.
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
        point: fromOctal(fields[4] ?? ""),
        type: fields[dash + 1] ?? "",
        flags: (fields[5] ?? "").split(",").reduce((sum, option) => sum | (FLAGS[option] ?? 0), 0),
        shared: optional.some((field) => field.startsWith("shared:")),
      };
    });
}

function readText(system: Syscalls, path: string): string {
  const fd = system.openat(CWD, path, O_RDONLY);
  const bytes = readAll(system, fd, 0);
  system.close(fd);
  return system.decode(bytes, 0, bytes.length);
}

/** The text of a process' mount table; the calling one's by default. */
export const readMountInfo = (system: Syscalls, process: string = "/proc/self"): string =>
  readText(system, `${process}/mountinfo`);

const MOUNT_ID = /^mnt_id:\s*(\d+)$/m;

/**
 * Number of the mount that an open file lies in. The kernel knows it by itself: no file system is asked.
 *
 * @see proc_pid_fdinfo(5)
 */
export const mountId = (system: Syscalls, fd: Fd): number =>
  Number(MOUNT_ID.exec(readText(system, `/proc/self/fdinfo/${fd.number}`))?.[1]);

/** The path of an open directory, as the current process sees it. */
const pathOf = (system: Syscalls, directory: Fd): string =>
  system.readlinkat(CWD, `/proc/self/fd/${directory.number}`) ?? "/";

const below = (root: string, point: string): string => point.slice(root === "/" ? 0 : root.length) || "/";

/**
 * The mount of a directory and all below it, by their paths as seen from that directory; what lies over another
 * mount comes after it.
 */
export function mountsBelow(
  system: Syscalls,
  directory: Fd,
): { readonly path: string; readonly flags: number; readonly type: string }[] {
  const root = pathOf(system, directory);
  const top = parseMountTable(readMountInfo(system)).filter(({ point }) => isWithin(point, root));
  return top.map(({ point, flags, type }) => ({ path: below(root, point), flags, type }));
}
