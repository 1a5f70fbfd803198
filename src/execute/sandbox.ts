import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_RECURSIVE,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUTS,
  CLOSE_RANGE_CLOEXEC,
  MNT_DETACH,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOSUID,
  MS_BIND,
  MS_MOVE,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_REMOUNT,
  O_CREAT,
  O_RDONLY,
  O_WRONLY,
  PR_CAPBSET_DROP,
  PR_SET_NO_NEW_PRIVS,
  PR_SET_PDEATHSIG,
  PR_SET_SECCOMP,
  PR_SET_SECUREBITS,
  RLIMIT_AS,
  RLIMIT_CORE,
  RLIMIT_CPU,
  RLIMIT_FSIZE,
  RLIMIT_NOFILE,
  SECBIT_NOROOT_AND_LOCKED,
  SECCOMP_MODE_FILTER,
  SIGKILL,
} from "../sys/constants.ts";
import { EINVAL, ENOSYS, EPERM } from "../sys/errno.ts";
import type { Fd } from "../sys/fd.ts";
import { ANY_ERROR, StepList } from "../sys/step-list.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { callFilter } from "./call-filter.ts";

/** What a confined child has in common with the container. */
export interface Confinement {
  /** Namespaces of the container that the child joins: abstract sockets and shared memory are then its own. */
  readonly network: Fd;
  readonly ipc: Fd;
  /** Ids that the child runs with: those of the container's root, as the host numbers them. */
  readonly owner: { readonly uid: number; readonly gid: number };
  /** The root's path on the host, given when the mounts are locked by a user namespace and have to be bound anew. */
  readonly rebind: string | undefined;
  /** The host runs from its initial ramdisk, which pivot_root(2) cannot leave. */
  readonly noPivot: boolean;
}

/** A mount of the container: its path below the root, and the flags that a remount has to repeat. */
export interface MountFlags {
  readonly path: string;
  readonly flags: number;
}

/** A program to run below the container's root, and what it is given. */
export interface ConfinedProgram {
  readonly confinement: Confinement;
  /** The root and what is mounted below it, for kernels before 5.12; newer ones need no list. */
  readonly mounts: readonly MountFlags[];
  /** Mount points below the root that the program must not come to, parents first: nobody may ever answer there. */
  readonly silent: readonly string[];
  /** A sealed descriptor, or a path below the root: that is the image's program then. */
  readonly program:
    | { readonly fd: Fd; readonly path?: never }
    | { readonly path: string; readonly fd?: never };
  /** The command line, given the name under which the program finds its configuration. */
  readonly argv: (configurationFile: string) => readonly string[];
  readonly configuration: Uint8Array;
  /** Takes standard output and standard error. */
  readonly output: Fd;
}

const CONFIGURATION_FILE = "/dev/ld.so.conf";

/** Soft and hard limits: an image can make ldconfig work hard, but not for long nor without bound. */
const LIMITS: readonly (readonly [resource: number, value: number])[] = [
  [RLIMIT_CPU, 10],
  [RLIMIT_AS, 2 * 1024 ** 3],
  [RLIMIT_FSIZE, 32 * 1024 ** 2],
  [RLIMIT_NOFILE, 64],
  [RLIMIT_CORE, 0],
];

/** One more than any capability's number; unknown ones answer EINVAL. @see capabilities(7) */
const CAPABILITIES = 64;
const LINUX_CAPABILITY_VERSION_3 = 0x20080522;

function limitBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(value), true);
  view.setBigUint64(8, BigInt(value), true);
  return bytes;
}

/** A change of the whole tree to private: nothing that follows is seen in another namespace. */
function enterRoot(steps: StepList, { rebind, noPivot }: Confinement): void {
  steps.call("mount", [null, "/", null, MS_REC | MS_PRIVATE, null]);
  if (rebind !== undefined) {
    steps.call("mount", [rebind, rebind, null, MS_BIND | MS_REC, null]).call("chdir", [rebind]);
  }
  if (noPivot) {
    steps.call("mount", [".", "/", null, MS_MOVE, null]).call("chroot", ["."]);
  } else {
    steps.call("pivot_root", [".", "."]).call("umount2", [".", MNT_DETACH]);
  }
  steps.call("chdir", ["/"]);
}

/**
 * Makes device nodes useless, wherever an image or a volume holds them: the child is in the device cgroup of the
 * hook, which allows everything, and not in the container's.
 */
function forbidDevices(steps: StepList, mounts: readonly MountFlags[]): void {
  const attributes = new Uint8Array(32);
  new DataView(attributes.buffer).setUint32(0, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID, true);
  steps.call("mount_setattr", [AT_FDCWD, "/", AT_RECURSIVE, attributes, attributes.length], ENOSYS);
  for (const { path, flags } of mounts) {
    const remount = MS_REMOUNT | MS_BIND | MS_NODEV | MS_NOSUID | flags;
    // A mount that lies under another one is out of reach.
    steps.call("mount", [null, path, null, remount, null], path === "/" ? 0 : ANY_ERROR);
  }
}

/**
 * Covers what shows the kernel: an image's ldconfig, or one that the image's libraries have taken over, finds no
 * /proc, no /sys and no devices. /dev holds the configuration and nothing else. /var/cache is made read-only, so
 * that ldconfig's auxiliary cache is used where the image has one and never written.
 *
 * Paths are looked up after the change of root: whatever links the image has, they stay inside.
 */
function coverKernel(steps: StepList, configuration: Uint8Array): void {
  const flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  const size = "mode=0755,size=1m";
  for (const path of ["/proc", "/sys"]) {
    steps.call("mount", ["tmpfs", path, "tmpfs", flags | MS_RDONLY, size], ANY_ERROR);
  }
  steps
    .call("mount", ["/var/cache", "/var/cache", null, MS_BIND, null], ANY_ERROR)
    .call("mount", [null, "/var/cache", null, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, null], ANY_ERROR)
    .call("mount", ["tmpfs", "/dev", "tmpfs", flags, size])
    // With descriptor 0 closed, the next open gets it.
    .call("close", [0])
    .call("openat", [AT_FDCWD, CONFIGURATION_FILE, O_CREAT | O_WRONLY, 0o444])
    .call("write", [0, configuration, configuration.length])
    .call("close", [0])
    .call("mount", [null, "/dev", null, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, null])
    .call("openat", [AT_FDCWD, CONFIGURATION_FILE, O_RDONLY, 0]);
}

/**
 * Covers mounts that may never answer: with an empty directory, or with the configuration where a file is mounted.
 * To ask which it is would be a question already, so both are tried. One below another is gone with it.
 */
function coverSilent(steps: StepList, silent: readonly string[]): void {
  for (const path of silent) {
    steps
      .call("mount", ["tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, null], ANY_ERROR)
      .call("mount", [CONFIGURATION_FILE, path, null, MS_BIND, null], ANY_ERROR);
  }
}

/** Gives up every privilege for good. */
function dropPrivileges(steps: StepList, { uid, gid }: Confinement["owner"]): void {
  // EPERM: in a user namespace setgroups(2) can be denied; the groups are the namespace's own then.
  steps.call("setgroups", [0, null], EPERM).call("setresgid", [gid, gid, gid]);
  // uid 0 must gain nothing by execve(2): neither from the bounding set nor from a file.
  steps.call("prctl", [PR_SET_SECUREBITS, SECBIT_NOROOT_AND_LOCKED, 0, 0, 0]);
  for (let capability = 0; capability < CAPABILITIES; capability++) {
    steps.call("prctl", [PR_CAPBSET_DROP, capability, 0, 0, 0], ANY_ERROR);
  }
  const header = new Uint8Array(8);
  new DataView(header.buffer).setUint32(0, LINUX_CAPABILITY_VERSION_3, true);
  steps
    .call("setresuid", [uid, uid, uid])
    // A change of ids takes the signal away.
    .call("prctl", [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0])
    .call("capset", [header, new Uint8Array(24)])
    .call("prctl", [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0]);
}

/**
 * Writes down what a child does to run a program below the container's root, with the container's data and none of
 * our powers: own mount, pid and uts namespace, the container's network and ipc, no capabilities, an empty
 * environment, limits, and nothing of the host in sight.
 *
 * The caller's current directory has to be the root directory when the child is started.
 */
export function confinedSteps(
  system: Syscalls,
  { confinement, mounts, silent, program, argv, configuration, output }: ConfinedProgram,
): { steps: StepList; cloneFlags: number } {
  const steps = new StepList(system);
  steps
    .call("prctl", [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0])
    .call("setns", [confinement.network.number, CLONE_NEWNET])
    .call("setns", [confinement.ipc.number, CLONE_NEWIPC])
    .call("umask", [0o022]);
  enterRoot(steps, confinement);
  forbidDevices(steps, mounts);
  coverKernel(steps, configuration);
  coverSilent(steps, silent);
  steps.call("dup3", [output.number, 1, 0]).call("dup3", [output.number, 2, 0]);
  for (const [resource, value] of LIMITS) {
    steps.call("prlimit64", [0, resource, limitBytes(value), null]);
  }
  dropPrivileges(steps, confinement.owner);
  // Before 5.11 ours are all close-on-exec, and a runtime gives its hooks nothing but the standard three.
  steps.call("close_range", [3, 0xffffffff, CLOSE_RANGE_CLOEXEC], ANY_ERROR);
  const argvArray = steps.stringArray(argv(CONFIGURATION_FILE));
  const environment = steps.stringArray([]);
  // EINVAL: a kernel without filters. What came before holds without it.
  steps.call(
    "prctl",
    [PR_SET_SECCOMP, SECCOMP_MODE_FILTER, steps.program(callFilter(system.arch)), 0, 0],
    EINVAL,
  );
  if (program.fd !== undefined) {
    steps.call("execveat", [program.fd.number, "", argvArray, environment, AT_EMPTY_PATH]);
  } else {
    steps.call("execve", [program.path, argvArray, environment]);
  }
  return { steps, cloneFlags: CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS };
}
