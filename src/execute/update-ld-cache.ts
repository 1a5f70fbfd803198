import { type Finding, finding } from "../model/finding.ts";
import { containerPath } from "../model/paths.ts";
import type { OperationOf } from "../plan/operation.ts";
import {
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  CLOCK_REALTIME_COARSE,
  O_PATH,
  O_RDONLY,
} from "../sys/constants.ts";
import { EACCES, EEXIST, EROFS } from "../sys/errno.ts";
import type { Fd } from "../sys/fd.ts";
import { SystemError } from "../sys/system-error.ts";
import { readLibraryPath, searchOrder, systemDirectories } from "./library-path.ts";
import { InTheWay, isSetAside } from "./rootfs.ts";
import { type LdconfigContext, runLdconfig } from "./run-ldconfig.ts";

const CACHE = "ld.so.cache";
/** Of hooks that did not come to their end. An image that has more of them is up to something. */
const MAX_DRAFTS = 100;
/** An image's author decides how many names a directory has. */
const MAX_NAMES = 100_000;

/**
 * Refreshes the container's ld.so.cache with the injected directories, whatever the image's ld.so.conf says.
 *
 * ldconfig writes a new file into a directory of its own beside the cache; the file then takes the cache's place.
 *
 * @returns findings: a root that cannot be written to, an image without /etc, or a directory where the cache belongs
 * leaves everything as it is.
 * @throws NvociError "ldconfig-failed" with ldconfig's own words.
 * @throws InTheWay for a cache that is mounted there.
 */
export function updateLdCache(operation: OperationOf<"update-ldcache">, context: LdconfigContext): Finding[] {
  const { system, rootfs, undo } = context;
  const etc = rootfs.view.open("/etc", O_PATH | system.O_DIRECTORY);
  if (etc === undefined) return [finding("container-no-etc", "warning", operation.source, {})];
  if (rootfs.view.isSilent(etc, CACHE)) throw new InTheWay(containerPath(`/etc/${CACHE}`), "mount");
  if (system.statx(etc, CACHE, AT_SYMLINK_NOFOLLOW)?.type === "directory") {
    return [
      finding("container-directory-in-the-way", "warning", operation.source, { path: `/etc/${CACHE}` }),
    ];
  }
  const draft = makeDraftDirectory(context, etc);
  if (draft === undefined) {
    return [finding("container-read-only", "warning", operation.source, { path: "/etc" })];
  }
  const place = rootfs.clear(containerPath(`/etc/${CACHE}`));

  const directories = searchOrder(
    operation.folders,
    operation.compatFolder,
    readLibraryPath(rootfs.view),
    systemDirectories(rootfs.view, system.arch),
  );
  // The clock that file times are taken from.
  const startedAt = system.clock_gettime(CLOCK_REALTIME_COARSE);
  undo.add(() => removeNewLinks(context, directories, startedAt));
  runLdconfig(context, operation.ldconfig, `${directories.join("\n")}\n`, `/etc/${draft.name}/${CACHE}`);
  system.renameat(draft.directory, CACHE, place.parent, place.name);
  undo.add(() => system.unlinkat(place.parent, place.name, 0));
  return [];
}

/**
 * Makes an empty directory for ldconfig to write to. ldconfig has the id of the container's root and not its
 * capabilities, so it could not write to an /etc that is another user's, or that nobody may write to.
 *
 * @returns `undefined` where nothing can be made.
 */
function makeDraftDirectory(
  { system, undo }: LdconfigContext,
  etc: Fd,
): { readonly name: string; readonly directory: Fd } | undefined {
  const prefix = `.nvoci-${system.getpid()}-cache`;
  let name = prefix;
  try {
    // One that was killed, or lost its power, may have had the same number.
    for (let count = 1; !system.mkdirat(etc, name, 0o700); count++) {
      if (count === MAX_DRAFTS) throw new SystemError("mkdirat", [etc, name], -EEXIST);
      name = `${prefix}-${count}`;
    }
  } catch (error) {
    if (error instanceof SystemError && (error.errno === EROFS || error.errno === EACCES)) return undefined;
    throw error;
  }
  const removeDirectory = () => system.unlinkat(etc, name, AT_REMOVEDIR);
  undo.add(removeDirectory);
  undo.onCommit(removeDirectory);
  const directory = system.openat(etc, name, O_RDONLY | system.O_DIRECTORY | system.O_NOFOLLOW);
  undo.add(() => {
    // ldconfig itself writes to a name with a tilde first.
    for (const file of system.getdents64(directory, MAX_NAMES)) system.unlinkat(directory, file, 0);
  });
  return { name, directory };
}

/**
 * Removes the SONAME links that ldconfig made: links that changed since it was started. One that it has turned to
 * another library of the image's own stays so.
 */
function removeNewLinks(
  { system, rootfs }: LdconfigContext,
  directories: readonly string[],
  since: number,
): void {
  for (const path of directories) {
    const directory = rootfs.view.open(path, O_RDONLY | system.O_DIRECTORY);
    if (directory === undefined) continue;
    for (const name of system.getdents64(directory, MAX_NAMES)) {
      // A link of the image that was set aside within the same tick of the clock looks as new.
      if (isSetAside(name)) continue;
      const stat = system.statx(directory, name, AT_SYMLINK_NOFOLLOW);
      if (stat?.type === "symlink" && stat.changed >= since) system.unlinkat(directory, name, 0);
    }
    system.close(directory);
  }
}
