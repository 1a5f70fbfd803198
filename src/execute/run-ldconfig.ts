import type { LdconfigChoice } from "../config/config.ts";
import { NvociError } from "../model/errors.ts";
import { quote } from "../model/quote.ts";
import { encodeUtf8 } from "../model/utf8.ts";
import {
  AT_EMPTY_PATH,
  F_ADD_SEALS,
  F_SEAL_ALL,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
  O_PATH,
  O_RDONLY,
} from "../sys/constants.ts";
import { EINVAL, ENOSYS } from "../sys/errno.ts";
import { CWD, type Fd } from "../sys/fd.ts";
import type { ExitStatus, Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";
import { mountsBelow } from "./mount-table.ts";
import type { Rootfs } from "./rootfs.ts";
import { runChild } from "./run-child.ts";
import { type Confinement, confinedSteps, type MountFlags } from "./sandbox.ts";
import { silentPoints } from "./silent-mounts.ts";
import type { Undo } from "./undo.ts";

/** In seconds. ldconfig takes milliseconds, and one that hangs must not hang us. */
const TIMEOUT = 30;

/** What ldconfig needs from its surroundings. */
export interface LdconfigContext {
  readonly system: Syscalls;
  readonly rootfs: Rootfs;
  readonly undo: Undo;
  /** Namespaces of the container that the child joins, and the ids it takes. */
  readonly confinement: Confinement;
}

/**
 * Copies the host's ldconfig into a sealed memory file. The container never sees the host's inode, not even as
 * /proc/PID/exe of the child, and nobody can alter the copy (CVE-2019-5736, CVE-2024-0135).
 */
function sealedCopy(system: Syscalls, path: string): Fd {
  const original = system.openat(CWD, path, O_RDONLY);
  const copy = createMemoryFile(system);
  while (system.sendfile(copy, original, 0x7ffff000) > 0);
  system.close(original);
  system.fcntl(copy, F_ADD_SEALS, F_SEAL_ALL);
  return copy;
}

/**
 * Makes a memory file that can be run. Since 6.3 that has to be said, or a host that is set up so
 * (vm.memfd_noexec = 1) takes the right away; kernels before do not know the word (EINVAL).
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

/**
 * Runs ldconfig in the sandbox below the container's root, and waits for it.
 *
 * @param configuration its ld.so.conf.
 * @param cache the file that it is to write, as the container sees it.
 * @throws NvociError "ldconfig-failed" with ldconfig's own words.
 */
export function runLdconfig(
  { system, rootfs, undo, confinement }: LdconfigContext,
  ldconfig: LdconfigChoice,
  configuration: string,
  cache: string,
): void {
  const program =
    ldconfig.from === "host" ? { fd: sealedCopy(system, ldconfig.path) } : { path: ldconfig.path };
  const mounts = mountsToRestrict(system, rootfs.view.root);
  const silent = silentPoints(system, rootfs.view.root);
  const argv = (configurationFile: string) => ["ldconfig", "-f", configurationFile, "-C", cache];
  // The child's current directory is the root that it pivots to: the copy of this very mount in its namespace.
  const here = system.openat(CWD, ".", O_PATH | system.O_DIRECTORY);
  // What else is taken back needs the current directory that it was done in.
  undo.add(() => system.fchdir(here));
  const { failure, words, status } = runChild(system, TIMEOUT, (output, report) => {
    const { steps, cloneFlags } = confinedSteps(system, {
      confinement,
      mounts,
      silent,
      program,
      argv,
      configuration: encodeUtf8(configuration),
      output,
    });
    system.fchdir(rootfs.view.root);
    const pid = system.spawn(cloneFlags, steps.encode(), report);
    return { pid, steps };
  });
  system.fchdir(here);
  if (program.fd !== undefined) system.close(program.fd);

  if (failure !== undefined) {
    const { call } = new SystemError(failure.call, [{ flags: "in ldconfig's sandbox" }], -failure.errno);
    throw ldconfigError(call, []);
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
