import { decodeUtf8 } from "../text/utf8.ts";
import { type ContainerPath, type HostPath, hostPath } from "./paths.ts";

/** The file type of `st_mode`, by its name in inode(7). */
export type FileType =
  | "file"
  | "directory"
  | "symlink"
  | "character-device"
  | "block-device"
  | "fifo"
  | "socket";

/** The part of statx(2) that nvoci uses. */
export interface FileStat {
  readonly type: FileType;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes. */
  readonly size: number;
  /** Device number that a device node stands for (`st_rdev`); 0 and 0 for anything else. */
  readonly major: number;
  readonly minor: number;
}

/**
 * Read-only access to the host's files. The core reads the host only through this interface, so it runs on a real
 * kernel, on memfs and on a recorded tree.
 *
 * The methods return `undefined` for a missing file (ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG) and throw on other
 * failures.
 */
export interface HostView {
  /**
   * Reads a whole file.
   *
   * @param limit largest size in bytes; throws for a larger file. Default: 16 MiB.
   * @param check receives the opened file's attributes before it is read, and throws if it must not be trusted.
   */
  readFile(path: HostPath, limit?: number, check?: (stat: FileStat) => void): Uint8Array | undefined;
  /** Reads at most `length` bytes at `offset`; fewer at the end of the file. */
  readRange(path: HostPath, offset: number, length: number): Uint8Array | undefined;
  /**
   * Returns the names in directory order, without `.`, `..` and names that are not UTF-8.
   *
   * @param ending only names that end like this. A library directory has thousands of others.
   */
  readDirectory(path: HostPath, ending?: string): string[] | undefined;
  /** Returns the attributes of a file. Follows links in the directory part, but not in the last component. */
  lstat(path: HostPath): FileStat | undefined;
  /** Returns the text of a symbolic link; `undefined` also if the path is not a link. */
  readLink(path: HostPath): string | undefined;
  /** Returns the path with all symbolic links resolved; `undefined` if one is dangling. */
  realPath(path: HostPath): HostPath | undefined;
}

/** Enough for small text files: those in /proc and /sys, release files, configuration snippets. */
const MAX_TEXT_BYTES = 1 << 20;

/** Returns the text of a small file; `undefined` if it is missing or not UTF-8. Throws for a larger file. */
export function readText(host: HostView, path: HostPath, limit = MAX_TEXT_BYTES): string | undefined {
  const bytes = host.readFile(path, limit);
  return bytes && decodeUtf8(bytes);
}

/** An id map of the initial user namespace: every id maps to itself. @see user_namespaces(7) */
const IDENTITY = "0 0 4294967295";

/** Reports whether this process is in the initial user namespace. A kernel without the maps has no other. */
export const isInitialUserNamespace = (host: HostView): boolean =>
  ["/proc/self/uid_map", "/proc/self/gid_map"].every((file) => {
    const text = readText(host, hostPath(file)) ?? IDENTITY;
    return text.trim().split(/\s+/).join(" ") === IDENTITY;
  });

/** Returns the attributes of a file, or of a link's target. */
export function statThrough(host: HostView, path: HostPath): FileStat | undefined {
  const stat = host.lstat(path);
  if (stat?.type !== "symlink") return stat;
  const real = host.realPath(path);
  return real === undefined ? undefined : host.lstat(real);
}

/**
 * Read-only access to a container's root, as {@link HostView} is to the host. Every read of an image goes through
 * this interface. Links are followed inside the root and never lead out of it. The content is hostile: it informs,
 * and never decides what is read on the host.
 *
 * The image decides how much there is to read, so each method that reads has a limit.
 */
export interface ImageView {
  /** Reads the first `limit` bytes of a regular file; `undefined` for anything else, and for an unreadable file. */
  readFile(path: ContainerPath, limit: number): Uint8Array | undefined;
  /** Reads at most `length` bytes of a regular file at `offset`; `undefined` for anything else. */
  readRange(path: ContainerPath, offset: number, length: number): Uint8Array | undefined;
  /** Returns at most `limit` names of a directory, without `.` and `..`; none if there is no directory. */
  readDirectory(path: ContainerPath, limit: number): string[];
  /**
   * Returns the type of the file at a path; `undefined` if there is none.
   *
   * @param link `follow` (the default) returns the type of a link's target, `itself` that of the link.
   */
  type(path: ContainerPath, link?: "follow" | "itself"): FileType | undefined;
  /** Returns a text that is equal for two paths to the same file; `undefined` if there is no file. */
  identity(path: ContainerPath): string | undefined;
}
