import { chmodSync, chownSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { mustRun } from "./run-command.ts";

/** One thing in a made-up file tree. Paths are absolute and mean the tree's root. */
export type TreeEntry =
  | {
      readonly kind: "file";
      readonly path: string;
      readonly content: string | Uint8Array;
      readonly mode?: number;
    }
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | DeviceEntry
  | { readonly kind: "fifo"; readonly path: string }
  /** Hides what a lower layer has there: overlayfs' whiteout. */
  | { readonly kind: "hidden"; readonly path: string };

/** A device node, of a character device unless it says otherwise. */
interface DeviceEntry {
  readonly kind: "device";
  readonly path: string;
  readonly type?: "b" | "c";
  readonly major: number;
  readonly minor: number;
  readonly mode: number;
  readonly gid: number;
}

export const fileEntry = (path: string, content: string | Uint8Array, mode = 0o644): TreeEntry => ({
  kind: "file",
  path,
  content,
  mode,
});

/** A character device that everybody may open. */
export const deviceEntry = (path: string, major: number, minor: number): TreeEntry => ({
  kind: "device",
  path,
  major,
  minor,
  mode: 0o666,
  gid: 0,
});

/**
 * Writes entries below a directory, with their parents.
 *
 * @throws Error when a parent is a symbolic link: an absolute one would lead out of the tree.
 */
export function writeTree(root: string, entries: readonly TreeEntry[]): void {
  for (const entry of entries) {
    const path = join(root, entry.path);
    makeParents(root, dirname(entry.path));
    if (entry.kind === "file") {
      writeFileSync(path, entry.content);
      chmodSync(path, entry.mode ?? 0o644);
    } else if (entry.kind === "directory") mkdirSync(path, { recursive: true });
    else if (entry.kind === "link") symlinkSync(entry.target, path);
    else if (entry.kind === "hidden") mustRun(["mknod", path, "c", "0", "0"]);
    else if (entry.kind === "fifo") mustRun(["mkfifo", path]);
    else {
      mustRun(["mknod", path, entry.type ?? "c", `${entry.major}`, `${entry.minor}`]);
      chownSync(path, 0, entry.gid);
      chmodSync(path, entry.mode);
    }
  }
}

function makeParents(root: string, directory: string): void {
  let path = root;
  for (const name of directory.split("/").filter((part) => part !== "")) {
    path = join(path, name);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) mkdirSync(path);
    else if (!found.isDirectory()) throw new Error(`Cannot write below "${path}": not a directory`);
  }
}
