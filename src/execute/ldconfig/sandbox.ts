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

/** A program to run below the container's root, and what it is given. */
interface ConfinedProgram {
  readonly confinement: Confinement;
  /** The root and what is mounted below it, for kernels before 5.12; newer ones need no list. */
  readonly mounts: readonly MountBelow[];
  /** What is mounted below the root and is neither the image's nor ours; for a program of the image all is covered. */
  readonly foreign: readonly MountBelow[];
  /** A sealed descriptor, or a path below the root: that is the image's program then. */
  readonly program:
    | { readonly fd: Fd; readonly path?: never }
    | { readonly path: string; readonly fd?: never };
  /** The command line, given the names under which the program finds its configuration and makes its cache. */
  readonly argv: (configurationFile: string, cacheFile: string) => readonly string[];
  readonly configuration: Uint8Array;
  /** Gets a message with a descriptor of the directory that the program may write to. */
  readonly results: Fd;
  /** Takes standard output and standard error. */
  readonly output: Fd;
}

/** The name of the cache among the results. */
export const CACHE_NAME = "ld.so.cache";
/** A hundred thousand libraries have one of ten megabytes. */
export const MAX_CACHE_BYTES = 16 * 1024 ** 2;

/**
 * Soft and hard limits: an image can make ldconfig work hard, but not for long nor without bound. Files that it maps
 * cost no memory of their own, and libraries of CUDA have gigabytes; what costs memory is counted by RLIMIT_DATA.
 */
const LIMITS: readonly (readonly [resource: number, value: number])[] = [
  [RLIMIT_CPU, 3],
  [RLIMIT_DATA, 256 * 1024 ** 2],
  [RLIMIT_AS, 16 * 1024 ** 3],
  [RLIMIT_FSIZE, MAX_CACHE_BYTES],
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

/** Gives up every privilege for good. */
function dropPrivileges(steps: StepList, { uid, gid }: Ids): void {
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
 * environment, limits, nothing of the host in sight, and nothing of the container that can be written to.
 *
 * A program of the image is no more than the container's own process besides: it has that one's ids, is in its device
 * cgroup, and does not see its volumes.
 *
 * The caller's current directory has to be the root directory when the child is started.
 */
export function confinedSteps(
  system: Syscalls,
  { confinement, mounts, foreign, program, argv, configuration, results, output }: ConfinedProgram,
): { steps: StepList; cloneFlags: number } {
  const steps = new StepList(system);
  const image = program.fd === undefined ? confinement.image : undefined;
  const ids = image?.user ?? confinement.owner;
  steps.call("prctl", [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0]);
  // "0" means the writer.
  if (image?.members !== undefined) steps.call("write", [image.members.number, "0", 1]);
  steps
    .call("setns", [confinement.network.number, CLONE_NEWNET])
    .call("setns", [confinement.ipc.number, CLONE_NEWIPC])
    .call("umask", [0o022]);
  enterRoot(steps, confinement);
  // Nobody may ever answer to a look-up in a silent mount: what is in it cannot be named, and goes out of sight with it.
  const silent = foreign.filter((mount) => mount.silent);
  forbidChanges(steps, outsideSilent(mounts, silent));
  coverMounts(steps, outsideSilent(image === undefined ? silent : foreign, silent));
  coverKernel(steps, configuration, results, ids);
  coverSilentFiles(steps, outsideSilent(silent, silent));
  steps.call("dup3", [output.number, 1, 0]).call("dup3", [output.number, 2, 0]);
  for (const [resource, value] of LIMITS) {
    // Without CAP_SYS_RESOURCE a hard limit cannot be raised, and where it is lower, all the better.
    steps.call("prlimit64", [0, resource, limitBytes(Math.min(value, system.getrlimit(resource))), null]);
  }
  dropPrivileges(steps, ids);
  // Before 5.11 ours are all close-on-exec, and a runtime gives its hooks nothing but the standard three.
  steps.call("close_range", [3, 0xffffffff, CLOSE_RANGE_CLOEXEC], ANY_ERROR);
  const argvArray = steps.stringArray(argv(CONFIGURATION_FILE, `${RESULTS}/${CACHE_NAME}`));
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
