import { decodeUtf8 } from "../text/utf8.ts";
import type { ContainerPath, HostPath } from "./paths.ts";

/** What `st_mode`'s type bits say, in inode(7)'s words. */
export type FileType =
  | "file"
  | "directory"
  | "symlink"
  | "character-device"
  | "block-device"
  | "fifo"
  | "socket";

/** The part of statx(2) that decisions are made on. */
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
 * Read-only access to the host's files. The core sees the host through this and nothing else, so that it runs
 * on a real kernel, on memfs and on a recorded tree alike.
 *
 * A thing that is not there (ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG) is `undefined`; any other failure throws.
 */
export interface HostView {
  /**
   * The whole content.
   *
   * @param limit largest size accepted, in bytes; a larger file throws. Default 16 MiB.
   * @param check sees the facts of the opened file before it is read, and throws for one that must not be believed.
   */
  readFile(path: HostPath, limit?: number, check?: (stat: FileStat) => void): Uint8Array | undefined;
  /** At most `length` bytes from `offset` on; fewer at the end of the file. */
  readRange(path: HostPath, offset: number, length: number): Uint8Array | undefined;
  /** Names in directory order, without `.` and `..`; names that are not UTF-8 are left out. */
  readDirectory(path: HostPath): string[] | undefined;
  /** Follows links in the directory part, not in the last component. */
  lstat(path: HostPath): FileStat | undefined;
  /** The link's own text; `undefined` also when the path is no symbolic link. */
  readLink(path: HostPath): string | undefined;
  /** The path without any symbolic link; `undefined` for a dangling one. */
  realPath(path: HostPath): HostPath | undefined;
}

/** Small files of text: everything in /proc and /sys, release files, snippets of configuration. */
const MAX_TEXT_BYTES = 1 << 20;

/** The text of a small file; `undefined` when it is not there or not UTF-8. A larger file throws. */
export function readText(host: HostView, path: HostPath, limit = MAX_TEXT_BYTES): string | undefined {
  const bytes = host.readFile(path, limit);
  return bytes && decodeUtf8(bytes);
}

/** What a path leads to: a link's own mode and type say nothing about it. */
export function statThrough(host: HostView, path: HostPath): FileStat | undefined {
  const stat = host.lstat(path);
  if (stat?.type !== "symlink") return stat;
  const real = host.realPath(path);
  return real === undefined ? undefined : host.lstat(real);
}

/**
 * Read-only access to a container's root, as {@link HostView} is to the host. Everything that is read in an image goes
 * through it. Links are followed inside the root and never lead out of it. What is found there is an image's: it
 * informs, and never decides what is read on the host.
 *
 * An image's author chooses how much there is to read, so each method that reads takes a limit.
 */
export interface ImageView {
  /** The first `limit` bytes of a regular file; `undefined` for anything else, and for a file that cannot be read. */
  readFile(path: ContainerPath, limit: number): Uint8Array | undefined;
  /** At most `length` bytes of a regular file from `offset` on; `undefined` for anything else. */
  readRange(path: ContainerPath, offset: number, length: number): Uint8Array | undefined;
  /** Names in a directory, `limit` of them at most, without `.` and `..`; empty when there is none. */
  readDirectory(path: ContainerPath, limit: number): string[];
  /**
   * What is at the path; `undefined` when nothing is.
   *
   * @param link `follow` (the default) asks about what a link leads to, `itself` about the link.
   */
  type(path: ContainerPath, link?: "follow" | "itself"): FileType | undefined;
  /** A text that is the same for two paths that lead to the same thing; `undefined` when nothing is there. */
  identity(path: ContainerPath): string | undefined;
}
