import { NvociError } from "../model/errors.ts";
import { type Finding, finding, type Report } from "../model/finding.ts";
import type { Operation } from "../plan/operation.ts";
import type { Fd, Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";
import { quote } from "../text/quote.ts";
import type { AllowDevices } from "./cgroup/device-cgroup.ts";
import type { Confinement } from "./ldconfig/confinement.ts";
import { updateLdCache } from "./ldconfig/update-ld-cache.ts";
import { updateMuslPath } from "./ldconfig/update-musl-path.ts";
import { type Bind, binder, type Expected, unbind } from "./mount/bind.ts";
import { ContainerMounts } from "./mount/container-mounts.ts";
import { coverDirectory } from "./mount/cover-directory.ts";
import { type MountBelow, mountsBelow } from "./mount/mount-table.ts";
import { asOwner, type Identity, lockRoot } from "./mount/namespace.ts";
import { InTheWay } from "./rootfs/asides.ts";
import { Rootfs } from "./rootfs/rootfs.ts";
import { newUndo, type Undo } from "./undo.ts";

/** What the executor works on. Every descriptor is open already. */
export interface ExecuteContext {
  readonly system: Syscalls;
  /** The container's root directory in the current mount namespace. */
  readonly root: Fd;
  /** The container's name in messages. */
  readonly containerName: string;
  readonly confinement: Confinement;
  readonly allowDevices: AllowDevices;
  /** Receives findings. None of them stops the container. */
  readonly report: Report;
  /** The SELinux label for file systems that nvoci mounts in the container. */
  readonly mountLabel?: string | undefined;
}

interface Tools extends ExecuteContext {
  readonly rootfs: Rootfs;
  readonly undo: Undo;
  readonly bind: Bind;
  readonly identity: Identity;
  readonly foreign: readonly MountBelow[];
}

/** The type that each bind's source must have. */
const BIND_SOURCES: Readonly<Record<"bind-file" | "bind-socket" | "bind-directory", Expected>> = {
  "bind-file": { type: "file" },
  "bind-socket": { type: "socket" },
  "bind-directory": { type: "directory" },
};

const NO_FINDINGS: readonly Finding[] = [];

/**
 * Performs one operation. Only this code changes a container that starts, so each step has its safety argument
 * here:
 *
 * - Every mount is private, and is never made on a mount that the container shares with the host.
 * - Names are made, renamed and removed only on the container's own mounts, and with no more rights to its files
 *   than the container's root has; see `Rootfs` and `asOwner`.
 * - bind-file, bind-directory: the mount is read-only, nosuid and nodev. The source is a path from the host's own
 *   manifests or cache, verified on the descriptor that is mounted. The place is a descriptor inside the root. The
 *   container can then read files that the administrator listed.
 * - bind-socket: the container may connect to the driver's service, which is the service's purpose.
 * - cover-directory: the container sees less than before, plus files that nvoci wrote.
 * - bind-device: nvoci binds the host's node and creates none. The device number is the one in the plan. Without
 *   allow-devices the cgroup still denies access.
 * - make-link: the target is only ever interpreted inside the container.
 * - update-ldcache: ldconfig runs unprivileged in a sandbox that can write nothing outside itself; see sandbox.ts.
 *   Its results are bytes: a cache that only this container reads, and names for links beside injected libraries.
 * - update-musl-path: only the container's own linker reads the file. What the image lists stays in it, behind the
 *   injected directories, and nothing but its text is taken over.
 * - allow-devices: grants exactly the device numbers in this plan, and only in this container's cgroup.
 */
function perform(operation: Operation, operations: readonly Operation[], tools: Tools): readonly Finding[] {
  const { system, rootfs, undo, bind } = tools;
  switch (operation.op) {
    case "bind-file":
    case "bind-socket":
    case "bind-directory": {
      const { op, path, hostPath, options } = operation;
      const place =
        op === "bind-directory" ? rootfs.directoryPlaceholder(path) : rootfs.placeholder(path, 0o644);
      bind(hostPath, BIND_SOURCES[op], place, options);
      undo.add(() => unbind(system, place));
      return NO_FINDINGS;
    }
    case "cover-directory":
      coverDirectory(operation, tools);
      return NO_FINDINGS;
    case "bind-device": {
      const { hostPath, path, fileMode, major, minor } = operation;
      const type = operation.type === "c" ? "character-device" : "block-device";
      const place = rootfs.placeholder(path, fileMode & 0o777);
      bind(hostPath, { type, device: { major, minor } }, place, ["ro", "nosuid", "noexec"]);
      undo.add(() => unbind(system, place));
      return NO_FINDINGS;
    }
    case "make-link":
      rootfs.makeLink(operation.path, operation.target);
      return NO_FINDINGS;
    case "update-musl-path":
      return updateMuslPath(operation, tools);
    case "update-ldcache":
      return updateLdCache(operation, operations, tools);
    case "allow-devices":
      tools.identity.asHost(() => {
        const add = (takeBack: () => void) => undo.add(() => tools.identity.asHost(takeBack));
        tools.allowDevices(operation.rules, { ...undo, add });
      });
      return NO_FINDINGS;
  }
}

const subject = (operation: Operation): string => {
  switch (operation.op) {
    case "bind-file":
    case "bind-socket":
    case "bind-directory":
    case "bind-device":
      return `mount ${quote(operation.hostPath, 4096)} into`;
    case "make-link":
      return `make the link ${quote(operation.path, 4096)} in`;
    case "cover-directory":
      return `cover ${quote(operation.path, 4096)} in`;
    case "update-musl-path":
      return `update ${quote(operation.path, 4096)} of`;
    case "update-ldcache":
      return 'update "/etc/ld.so.cache" of';
    case "allow-devices":
      return `allow ${operation.rules.length} devices in`;
  }
};

/** Returns an error that names the failed operation, the reason, and the line that requested it. */
function operationError(
  failure: unknown,
  operation: Operation,
  index: number,
  count: number,
  name: string,
): unknown {
  if (!(failure instanceof NvociError)) return failure;
  const askedBy = `${operation.source} (operation ${index + 1} of ${count})`;
  const { output, hint, call } = failure;
  const [code, message] =
    failure instanceof SystemError
      ? (["operation-failed", `Cannot ${subject(operation)} container ${name}: ${failure.reason}`] as const)
      : ([failure.code, failure.message] as const);
  return new NvociError(code, message, { output, askedBy, hint, call });
}

const IN_THE_WAY = {
  directory: "container-directory-in-the-way",
  file: "container-file-in-the-way",
  mount: "container-mount-in-the-way",
  "shared mount": "container-mount-shared",
  volume: "container-volume-untouched",
  permission: "container-place-refused",
} as const;

const inTheWay = (operation: Operation, { path, what }: InTheWay): Finding =>
  finding(IN_THE_WAY[what], "warning", operation.source, { path });

/** Returns the finding for a set-aside file of the image that could not be removed. */
function leftover(failure: unknown): Finding {
  if (!(failure instanceof SystemError)) throw failure;
  return finding("container-leftover", "warning", "set aside", { call: failure.call });
}

/**
 * Performs all operations, or none: after a failure the completed ones are undone in reverse.
 *
 * The process must be in the container's mount namespace, with /proc/self/fd as its current directory.
 *
 * @throws {NvociError} "operation-failed", or the step's own code, when an operation fails. The error names the
 * operation, the failed call and the line that requested it.
 */
export function execute(operations: readonly Operation[], context: ExecuteContext): void {
  const { system, root, containerName, report } = context;
  const undo = newUndo();
  // A failed write is then an error like any other, and is undone.
  system.ignoreWriteSignals();
  const lock = lockRoot(system, root);
  // New files get exactly the modes in the plan.
  const previousMask = system.umask(0);
  const identity = asOwner(system, context.confinement.owner);
  let index = 0;
  try {
    const mounts = new ContainerMounts(system, root);
    const rootfs = new Rootfs(system, root, undo, mounts, lock.alone);
    const bind = binder(system, context.confinement.rebind !== undefined);
    const covers = context.confinement.image !== undefined || mounts.silent.size > 0;
    const foreign = covers ? mountsBelow(system, root) : [];
    const tools: Tools = { ...context, rootfs, undo, bind, identity, foreign };
    for (const operation of operations) {
      try {
        for (const met of perform(operation, operations, tools)) report(met);
      } catch (failure) {
        if (!(failure instanceof InTheWay)) throw failure;
        report(inTheWay(operation, failure));
      }
      index++;
    }
    for (const failure of undo.commit()) report(leftover(failure));
  } catch (failure) {
    undo.rollBack();
    const operation = operations[index];
    if (operation === undefined) throw failure;
    throw operationError(failure, operation, index, operations.length, containerName);
  } finally {
    identity.end();
    system.umask(previousMask);
    lock.release();
  }
}
