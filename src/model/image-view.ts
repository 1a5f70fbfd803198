import type { FileType } from "./host-view.ts";
import type { ContainerPath } from "./paths.ts";

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
