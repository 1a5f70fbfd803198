import type { LdconfigChoice } from "../../model/container-edits.ts";
import { NvociError } from "../../model/errors.ts";
import {
  AT_EMPTY_PATH,
  AT_SYMLINK_NOFOLLOW,
  F_ADD_SEALS,
  F_SEAL_ALL,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  MS_PRIVATE,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  OPEN_TREE_CLONE,
} from "../../sys/constants.ts";
import { EBUSY, EINVAL, ENOSYS } from "../../sys/errno.ts";
import { readAll } from "../../sys/linux-host.ts";
import { runChild } from "../../sys/run-child.ts";
import { CWD, type ExitStatus, type Fd, type Syscalls } from "../../sys/syscalls.ts";
import { SystemError } from "../../sys/system-error.ts";
import { quote } from "../../text/quote.ts";
import { encodeUtf8 } from "../../text/utf8.ts";
import { type MountBelow, mountsBelow } from "../mount/mount-table.ts";
import type { Identity } from "../mount/namespace.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import type { Undo } from "../undo.ts";
import type { Confinement } from "./confinement.ts";
import { CACHE_NAME, confinedSteps, MAX_CACHE_BYTES } from "./sandbox.ts";

/** In seconds. ldconfig takes milliseconds; if it hangs, the hook must not. */
const TIMEOUT_S = 5;

/** What ldconfig needs from its surroundings. */
export interface LdconfigContext {
  readonly system: Syscalls;
  readonly rootfs: Rootfs;
  readonly undo: Undo;
  /** Namespaces of the container that the child joins, and the ids it takes. */
  readonly confinement: Confinement;
  /** Whose rights decide what the process may do to files. */
  readonly identity: Identity;
  /** Mounts below the root that nvoci did not make; empty unless some of them must be covered. */
  readonly foreign: readonly MountBelow[];
}

/** The new cache and ldconfig's output, or why there is no cache. */
type LdconfigResult =
  | { readonly cache: Uint8Array; readonly printed: string; readonly reason?: never }
  | { readonly reason: string };

/**
 * Opens the host's ldconfig in a way that lets nobody change it, not even through /proc/PID/exe of the child
 * (CVE-2019-5736, CVE-2024-0135): on a read-only mount of its own that is attached nowhere. A mount outside of every
 * namespace cannot be made writable again.
 */
function openProgram(system: Syscalls, path: string): Fd {
  let tree: Fd | undefined;
  try {
    tree = system.open_tree(CWD, path, OPEN_TREE_CLONE);
    const attrSet = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
    system.mount_setattr(tree, "", AT_EMPTY_PATH, { attrSet, propagation: MS_PRIVATE });
    return tree;
  } catch (error) {
    if (tree !== undefined) system.close(tree);
    if (!(error instanceof SystemError) || error.errno !== ENOSYS) throw error;
    return sealedCopy(system, path);
  }
}

/**
 * Copies the host's ldconfig into a sealed memory file, on kernels before 5.12.
 *
 * @throws {NotSealed} when a page of the new file has another user, which the kernel does not name (EBUSY).
 */
function sealedCopy(system: Syscalls, path: string): Fd {
  const original = system.openat(CWD, path, O_RDONLY);
  const copy = createMemoryFile(system);
  while (system.sendfile(copy, original, 0x7ffff000) > 0);
  system.close(original);
  try {
    system.fcntl(copy, F_ADD_SEALS, F_SEAL_ALL);
    return copy;
  } catch (error) {
    system.close(copy);
    throw error instanceof SystemError && error.errno === EBUSY ? new NotSealed(error.call) : error;
  }
}

/** The copy of ldconfig could not be sealed, so it must not run. */
class NotSealed extends Error {}

/**
 * Creates an executable memory file. Since Linux 6.3 MFD_EXEC is required where vm.memfd_noexec = 1; older kernels
 * reject it (EINVAL).
 */
function createMemoryFile(system: Syscalls): Fd {
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  try {
    return system.memfd_create("ldconfig", flags | MFD_EXEC);
  } catch (error) {
    if (!(error instanceof SystemError) || error.errno !== EINVAL) throw error;
    return system.memfd_create("ldconfig", flags);
  }
}

/** Returns the mounts to restrict one by one on a kernel without mount_setattr(2), otherwise none. */
function mountsToRestrict(system: Syscalls, root: Fd): readonly MountBelow[] {
  try {
    system.mount_setattr(root, "", AT_EMPTY_PATH, { attrSet: 0 });
    return [];
  } catch (error) {
    if (!(error instanceof SystemError) || error.errno !== ENOSYS) throw error;
    return mountsBelow(system, root);
  }
}

/**
 * Runs ldconfig in the sandbox below the container's root, and waits for it. ldconfig makes no links (`-X`) and
 * prints those that it would make (`-v`).
 *
 * @param configuration its ld.so.conf.
 * @returns the cache, or a reason when the program cannot be sealed, fails or does not finish in time. That is not an error: the
 * image, or another container with a shared volume, controls its input.
 * @throws {NvociError} "ldconfig-failed" when the sandbox cannot be set up.
 */
export function runLdconfig(
  { system, rootfs, undo, confinement, identity, foreign }: LdconfigContext,
  ldconfig: LdconfigChoice,
  configuration: string,
): LdconfigResult {
  let program: { readonly fd: Fd } | { readonly fd?: never; readonly path: string };
  try {
    program = ldconfig.from === "host" ? { fd: openProgram(system, ldconfig.path) } : { path: ldconfig.path };
  } catch (error) {
    if (error instanceof NotSealed) return { reason: error.message };
    throw error;
  }
  const mounts = mountsToRestrict(system, rootfs.view.root);
  const argv = (configurationFile: string, cache: string) => [
    "ldconfig",
    "-X",
    "-v",
    "-f",
    configurationFile,
    "-C",
    cache,
  ];
  const here = system.openat(CWD, ".", O_PATH | system.O_DIRECTORY);
  // Earlier steps are undone in the current directory in which they were done.
  undo.add(() => system.fchdir(here));
  const results = system.socketpair();
  const {
    failure,
    words: printed,
    status,
  } = runChild(system, TIMEOUT_S, (output, report) => {
    const { steps, cloneFlags } = confinedSteps(system, {
      confinement,
      mounts,
      foreign,
      program,
      argv,
      configuration: encodeUtf8(configuration),
      results: results.writer,
      output,
    });
    // The child pivots to its current directory: its namespace's copy of the root's mount.
    system.fchdir(rootfs.view.root);
    const pid = system.spawn(cloneFlags, steps.encode(), report);
    return { pid, steps };
  });
  system.fchdir(here);
  const directory = system.receiveDescriptor(results.reader);
  for (const fd of [program.fd, results.reader, results.writer]) if (fd !== undefined) system.close(fd);
  try {
    if (failure !== undefined && !failure.call.startsWith("execve")) throw sandboxError(failure);
    if (failure !== undefined) return { reason: new SystemError(failure.call, [], -failure.errno).call };
    if (printed === undefined) return { reason: `it did not finish within ${TIMEOUT_S} s` };
    if ("signalled" in status || status.exited !== 0)
      return { reason: lastMessage(printed) ?? ended(status) };
    const cache = directory === undefined ? undefined : identity.asHost(() => readCache(system, directory));
    return cache === undefined ? { reason: "it wrote no cache" } : { cache, printed };
  } finally {
    if (directory !== undefined) system.close(directory);
  }
}

/**
 * Reads the cache that the program wrote, if it is a regular file. The program has ended, so the file cannot
 * change.
 *
 * The directory belongs to the program's user, which the container's root need not be, so it is read with the host's
 * rights. They reach nothing else: the descriptor is the one that our own steps sent before the program ran, of a file
 * system in memory that contains only what the program wrote; one regular file is opened there, not through a link.
 */
function readCache(system: Syscalls, directory: Fd): Uint8Array | undefined {
  if (system.statx(directory, CACHE_NAME, AT_SYMLINK_NOFOLLOW)?.type !== "file") return undefined;
  const fd = system.openat(directory, CACHE_NAME, O_RDONLY | O_NONBLOCK | system.O_NOFOLLOW);
  try {
    const stat = system.statx(fd, "", AT_EMPTY_PATH);
    if (stat?.type !== "file" || stat.size === 0 || stat.size > MAX_CACHE_BYTES) return undefined;
    return readAll(system, fd, stat.size, MAX_CACHE_BYTES);
  } finally {
    system.close(fd);
  }
}

const ended = (status: ExitStatus): string =>
  "exited" in status ? `exit status ${status.exited}` : `killed by signal ${status.signalled}`;

/** Returns ldconfig's last message about itself, rather than about a library. */
function lastMessage(printed: string): string | undefined {
  const line = printed
    .split("\n")
    .filter((text) => text.startsWith("ldconfig: "))
    .at(-1);
  return line && quote(line);
}

function sandboxError({ call, errno }: { readonly call: string; readonly errno: number }): NvociError {
  const error = new SystemError(call, [{ text: "in ldconfig's sandbox" }], -errno);
  return new NvociError(
    "ldconfig-failed",
    `Cannot update "/etc/ld.so.cache" of the container: ldconfig's sandbox failed: ${error.reason}`,
    { hint: error.hint, call: error.call },
  );
}
