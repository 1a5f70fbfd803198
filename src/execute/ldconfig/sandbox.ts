import {
  AT_EMPTY_PATH,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUTS,
  CLOSE_RANGE_CLOEXEC,
  PR_CAPBSET_DROP,
  PR_SET_NO_NEW_PRIVS,
  PR_SET_PDEATHSIG,
  PR_SET_SECCOMP,
  PR_SET_SECUREBITS,
  RLIMIT_AS,
  RLIMIT_CORE,
  RLIMIT_CPU,
  RLIMIT_DATA,
  RLIMIT_FSIZE,
  RLIMIT_NOFILE,
  SECBIT_NOROOT_AND_LOCKED,
  SECCOMP_MODE_FILTER,
  SIGKILL,
} from "../../sys/constants.ts";
import { EINVAL, EPERM } from "../../sys/errno.ts";
import { ANY_ERROR, StepList } from "../../sys/step-list.ts";
import type { Fd, Syscalls } from "../../sys/syscalls.ts";
import { type MountBelow, outsideSilent } from "../mount/mount-table.ts";
import { callFilter } from "./call-filter.ts";
import type { Confinement, Ids } from "./confinement.ts";
import {
  CONFIGURATION_FILE,
  coverKernel,
  coverMounts,
  coverSilentFiles,
  enterRoot,
  forbidChanges,
  RESULTS,
} from "./sandbox-mounts.ts";

/** A program to run below the container's root, and its input. */
interface ConfinedProgram {
  readonly confinement: Confinement;
  /** The root and all mounts below it, for kernels before 5.12; newer ones need no list. */
  readonly mounts: readonly MountBelow[];
  /** Mounts below the root that are neither the image's nor ours. They are covered for a program of the image. */
  readonly foreign: readonly MountBelow[];
  /** A descriptor of the host's program that nobody can write to, or the path of the image's program below the root. */
  readonly program:
    | { readonly fd: Fd; readonly path?: never }
    | { readonly path: string; readonly fd?: never };
  /** Returns the command line, given the paths of the configuration and of the cache to write. */
  readonly argv: (configurationFile: string, cacheFile: string) => readonly string[];
  readonly configuration: Uint8Array;
  /** The socket that receives a descriptor of the only directory that the program can write to. */
  readonly results: Fd;
  /** Receives standard output and standard error. */
  readonly output: Fd;
}

/** The name of the cache in the results directory. */
export const CACHE_NAME = "ld.so.cache";
/** The cache of a hundred thousand libraries has ten megabytes. */
export const MAX_CACHE_BYTES = 16 * 1024 ** 2;

/**
 * Soft and hard limits, which bound the work that an image can cause. RLIMIT_AS is high, because mapped files cost
 * no memory of their own and CUDA's libraries have gigabytes. RLIMIT_DATA counts what costs memory.
 */
const LIMITS: readonly (readonly [resource: number, value: number])[] = [
  [RLIMIT_CPU, 3],
  [RLIMIT_DATA, 256 * 1024 ** 2],
  [RLIMIT_AS, 16 * 1024 ** 3],
  [RLIMIT_FSIZE, MAX_CACHE_BYTES],
  [RLIMIT_NOFILE, 64],
  [RLIMIT_CORE, 0],
];

/** More than any capability's number; unknown ones fail with EINVAL. @see capabilities(7) */
const CAPABILITIES = 64;
const LINUX_CAPABILITY_VERSION_3 = 0x20080522;

/** Returns a `struct rlimit` with the value as soft and as hard limit. */
const limitBytes = (value: number): Uint8Array => {
  const [low, high] = [value % 2 ** 32, Math.floor(value / 2 ** 32)];
  return new Uint8Array(Uint32Array.of(low, high, low, high).buffer);
};

/** Drops every privilege for good. */
function dropPrivileges(steps: StepList, { uid, gid }: Ids): void {
  // EPERM: a user namespace can deny setgroups(2). The groups are then the namespace's own.
  steps.call("setgroups", [0, null], EPERM).call("setresgid", [gid, gid, gid]);
  // uid 0 must gain nothing on execve(2), neither from the bounding set nor from a file.
  steps.call("prctl", [PR_SET_SECUREBITS, SECBIT_NOROOT_AND_LOCKED, 0, 0, 0]);
  for (let capability = 0; capability < CAPABILITIES; capability++) {
    steps.call("prctl", [PR_CAPBSET_DROP, capability, 0, 0, 0], ANY_ERROR);
  }
  const header = new Uint8Array(8);
  new DataView(header.buffer).setUint32(0, LINUX_CAPABILITY_VERSION_3, true);
  steps
    .call("setresuid", [uid, uid, uid])
    // A change of ids clears the signal.
    .call("prctl", [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0])
    .call("capset", [header, new Uint8Array(24)])
    .call("prctl", [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0]);
}

/**
 * Returns the steps of a child that runs a program below the container's root without our privileges: its own
 * mount, pid and UTS namespaces, the container's network and IPC namespaces, no capabilities, an empty
 * environment, and limits. It sees nothing of the host and can write to nothing of the container.
 *
 * A program of the image also has no more rights than the container's own process: it runs with that process's
 * ids, in its device cgroup, and without its volumes.
 *
 * The caller's current directory must be the root directory when the child starts.
 */
export function confinedSteps(
  system: Syscalls,
  { confinement, mounts, foreign, program, argv, configuration, results, output }: ConfinedProgram,
): { steps: StepList; cloneFlags: number } {
  const steps = new StepList(system);
  const image = program.fd === undefined ? confinement.image : undefined;
  const ids = image?.user ?? confinement.owner;
  steps.call("prctl", [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0]);
  // "0" is the writing process.
  if (image?.members !== undefined) steps.call("write", [image.members.number, "0", 1]);
  steps
    .call("setns", [confinement.network.number, CLONE_NEWNET])
    .call("setns", [confinement.ipc.number, CLONE_NEWIPC])
    .call("umask", [0o022]);
  enterRoot(steps, confinement);
  // A look-up in a silent mount may never return. So mounts inside it are left alone; covering it hides them too.
  const silent = foreign.filter((mount) => mount.silent);
  forbidChanges(steps, outsideSilent(mounts, silent));
  coverMounts(steps, outsideSilent(image === undefined ? silent : foreign, silent));
  coverKernel(steps, configuration, results, ids);
  coverSilentFiles(steps, outsideSilent(silent, silent));
  steps.call("dup3", [output.number, 1, 0]).call("dup3", [output.number, 2, 0]);
  for (const [resource, value] of LIMITS) {
    // Without CAP_SYS_RESOURCE a hard limit cannot be raised; a lower one is fine.
    steps.call("prlimit64", [0, resource, limitBytes(Math.min(value, system.getrlimit(resource))), null]);
  }
  dropPrivileges(steps, ids);
  // Before Linux 5.11 this fails. Our descriptors are close-on-exec, and hooks get only the standard three.
  steps.call("close_range", [3, 0xffffffff, CLOSE_RANGE_CLOEXEC], ANY_ERROR);
  const argvArray = steps.stringArray(argv(CONFIGURATION_FILE, `${RESULTS}/${CACHE_NAME}`));
  const environment = steps.stringArray([]);
  // EINVAL: the kernel has no filters. The other restrictions still apply.
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
