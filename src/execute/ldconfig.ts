import type { LdconfigChoice } from "../config/config.ts";
import { NvociError } from "../model/errors.ts";
import { type Finding, finding } from "../model/finding.ts";
import { containerPath } from "../model/paths.ts";
import { quote } from "../model/quote.ts";
import { encodeUtf8 } from "../model/utf8.ts";
import type { OperationOf } from "../plan/operation.ts";
import {
  AT_EMPTY_PATH,
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  CLOCK_REALTIME_COARSE,
  F_ADD_SEALS,
  F_SEAL_ALL,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  O_PATH,
  O_RDONLY,
  SIGKILL,
} from "../sys/constants.ts";
import { EACCES, EEXIST, ENOSYS, EROFS } from "../sys/errno.ts";
import { CWD, type Fd } from "../sys/fd.ts";
import type { ExitStatus, Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";
import { collectOutput } from "./collect-output.ts";
import { readLibraryPath, searchOrder, systemDirectories } from "./library-path.ts";
import { mountsBelow } from "./mount-table.ts";
import { isSetAside, type Rootfs } from "./rootfs.ts";
import { type Confinement, confinedSteps, type MountFlags } from "./sandbox.ts";
import type { Undo } from "./undo.ts";

const CACHE = "ld.so.cache";
/** In seconds. ldconfig takes milliseconds, and one that hangs must not hang us. */
const TIMEOUT = 30;
/** Of hooks that did not come to their end. An image that has more of them is up to something. */
const MAX_DRAFTS = 100;
/** An image's author decides how many names a directory has. */
const MAX_NAMES = 100_000;

/** What an update of the cache needs from its surroundings. */
export interface LdconfigContext {
  readonly system: Syscalls;
  readonly rootfs: Rootfs;
  readonly undo: Undo;
  /** Namespaces of the container that the child joins, and the ids it takes. */
  readonly confinement: Confinement;
}

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
  run(context, operation.ldconfig, `${directories.join("\n")}\n`, `/etc/${draft.name}/${CACHE}`);
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

/**
 * Copies the host's ldconfig into a sealed memory file. The container never sees the host's inode, not even as
 * /proc/PID/exe of the child, and nobody can alter the copy (CVE-2019-5736, CVE-2024-0135).
 */
function sealedCopy(system: Syscalls, path: string): Fd {
  const original = system.openat(CWD, path, O_RDONLY);
  const copy = system.memfd_create("ldconfig", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  while (system.sendfile(copy, original, 0x7ffff000) > 0);
  system.close(original);
  system.fcntl(copy, F_ADD_SEALS, F_SEAL_ALL);
  return copy;
}

/** The list of mounts that a kernel without mount_setattr(2) needs. */
function mountsToRestrict(system: Syscalls, root: Fd): readonly MountFlags[] {
  try {
    system.mount_setattr(root, "", AT_EMPTY_PATH, { attrSet: 0 });
    return [];
  } catch (error) {
    if (!(error instanceof SystemError) || error.errno !== ENOSYS) throw error;
    return mountsBelow(system, root);
  }
}

/** Runs ldconfig below the root and waits for it. */
function run(
  { system, rootfs, undo, confinement }: LdconfigContext,
  ldconfig: LdconfigChoice,
  configuration: string,
  cache: string,
): void {
  const program =
    ldconfig.from === "host" ? { fd: sealedCopy(system, ldconfig.path) } : { path: ldconfig.path };
  const output = system.pipe2();
  const report = system.pipe2();
  const argv = (configurationFile: string) => ["ldconfig", "-f", configurationFile, "-C", cache];
  const { steps, cloneFlags } = confinedSteps(system, {
    confinement,
    mounts: mountsToRestrict(system, rootfs.view.root),
    program,
    argv,
    configuration: encodeUtf8(configuration),
    output: output.writer,
  });
  // The child's current directory is the root that it pivots to: the copy of this very mount in its namespace.
  const here = system.openat(CWD, ".", O_PATH | system.O_DIRECTORY);
  // What else is taken back needs the current directory that it was done in.
  undo.add(() => system.fchdir(here));
  system.fchdir(rootfs.view.root);
  const pid = system.spawn(cloneFlags, steps.encode(), report.writer);
  let isRunning = true;
  undo.add(() => {
    if (!isRunning) return;
    system.kill(pid, SIGKILL);
    system.wait4(pid);
  });
  system.fchdir(here);
  system.close(output.writer);
  system.close(report.writer);
  const words = collectOutput(system, output.reader, TIMEOUT);
  if (words === undefined) system.kill(pid, SIGKILL);
  const failure = new Uint8Array(8);
  const failed = system.read(report.reader, failure) === failure.length;
  const status = system.wait4(pid);
  isRunning = false;
  for (const fd of [output.reader, report.reader]) system.close(fd);
  if (program.fd !== undefined) system.close(program.fd);

  if (failed) {
    const view = new DataView(failure.buffer);
    const call = steps.nameOf(view.getInt32(0, true));
    throw ldconfigError(
      new SystemError(call, [{ flags: "in ldconfig's sandbox" }], -view.getInt32(4, true)).call,
      [],
    );
  }
  if (words === undefined) throw ldconfigError(`it did not finish within ${TIMEOUT} s`, []);
  if ("signalled" in status || status.exited !== 0) throw ldconfigError(ended(status), lines(words));
}

const ended = (status: ExitStatus): string =>
  "exited" in status ? `exit status ${status.exited}` : `killed by signal ${status.signalled}`;

const lines = (text: string): string[] => text.split("\n").filter((line) => line.trim() !== "");

/** The last line is what made ldconfig give up; it goes into line 1. */
function ldconfigError(reason: string, words: readonly string[]): NvociError {
  const last = words[words.length - 1];
  return new NvociError(
    "ldconfig-failed",
    `Cannot update "/etc/ld.so.cache" of the container: ${last === undefined ? reason : quote(last)}`,
    [...(last === undefined ? [] : [reason]), ...words.slice(-5).map((line) => quote(line))],
  );
}
