import type { HostView } from "../../model/host-view.ts";
import { dirname, type HostPath } from "../../model/paths.ts";
import { encodeUtf8 } from "../../model/utf8.ts";
import { AT_REMOVEDIR } from "../../sys/constants.ts";
import { CWD } from "../../sys/fd.ts";
import { replaceFile } from "../../sys/replace-file.ts";
import type { Syscalls } from "../../sys/syscalls.ts";

/** A file as it is and as it is to be; `undefined` stands for no file. */
export interface FileChange {
  readonly path: HostPath;
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** Whether its directory goes with it, unless somebody else has something there. */
  readonly hasOwnDirectory: boolean;
}

function makeParents(system: Syscalls, host: HostView, path: HostPath): void {
  const parent = dirname(path);
  if (parent === path || host.lstat(parent) !== undefined) return;
  makeParents(system, host, parent);
  system.mkdirat(CWD, parent, 0o755);
}

/**
 * Makes a change in one step, and the directories that it needs.
 *
 * @throws SystemError
 */
export function applyChange(
  system: Syscalls,
  host: HostView,
  { path, after, hasOwnDirectory }: FileChange,
): void {
  if (after !== undefined) {
    makeParents(system, host, path);
    replaceFile(system, path, encodeUtf8(after), { synced: true });
    return;
  }
  system.unlinkat(CWD, path, 0);
  const isEmpty = hasOwnDirectory && host.readDirectory(dirname(path))?.length === 0;
  if (isEmpty) system.unlinkat(CWD, dirname(path), AT_REMOVEDIR);
}
