import { NvociError } from "../model/errors.ts";
import { type Finding, finding, type Report } from "../model/finding.ts";
import type { Operation } from "../plan/operation.ts";
import type { Fd, Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";
import { quote } from "../text/quote.ts";
import type { AllowDevices } from "./cgroup/cgroup-v1.ts";
import type { Confinement } from "./ldconfig/confinement.ts";
import { updateLdCache } from "./ldconfig/update-ld-cache.ts";
import { type Bind, binder, type Expected, unbind } from "./mount/bind.ts";
import { ContainerMounts } from "./mount/container-mounts.ts";
import { coverDirectory } from "./mount/cover-directory.ts";
import { type MountBelow, mountsBelow } from "./mount/mount-table.ts";
import { asOwner, type Identity, lockRoot } from "./mount/namespace.ts";
import { InTheWay } from "./rootfs/asides.ts";
import { Rootfs } from "./rootfs/rootfs.ts";
import { newUndo, type Undo } from "./undo.ts";

/** What the executor works on; all of it is open already. */
export interface ExecuteContext {
  readonly system: Syscalls;
  /** The container's root directory, in the mount namespace that is the current one. */
  readonly root: Fd;
  /** For messages: how people know the container. */
  readonly containerName: string;
  readonly confinement: Confinement;
  readonly allowDevices: AllowDevices;
  /** Takes what a person may want to know; nothing of it keeps the container from starting. */
  readonly report: Report;
  /** SELinux's label of the file systems that are made for the container. */
  readonly mountLabel?: string | undefined;
}

interface Tools extends ExecuteContext {
  readonly rootfs: Rootfs;
  readonly undo: Undo;
  readonly bind: Bind;
  readonly identity: Identity;
  readonly foreign: readonly MountBelow[];
}

/** What each bind's source has to be. */
const BIND_SOURCES: Readonly<Record<"bind-file" | "bind-socket" | "bind-directory", Expected>> = {
  "bind-file": { type: "file" },
  "bind-socket": { type: "socket" },
  "bind-directory": { type: "directory" },
};

const NO_FINDINGS: readonly Finding[] = [];

/**
 * Makes one operation true. This is the only code of nvoci that changes a container, so each case says why it may:
 *
 * - whatever is mounted is private, and never mounted on what the container shares with the host.
 * - whatever is made, renamed or removed is on the container's own mounts, and with no more rights to its files than the
 *   container's root has; see Rootfs and identity.ts.
 * - bind-file, bind-directory: read-only, without set-uid and devices; the source is a path that the
 *   host's own manifests or cache name, verified on the descriptor that is mounted; the place is a descriptor
 *   inside the root. The container gains the reading of files that the administrator listed.
 * - bind-socket: the container may connect to the driver's service, which is what the service is for.
 * - cover-directory: the container sees less than before, and content that we wrote.
 * - bind-device: no node is created, the host's own is bound, and its number is the one that the plan was made
 *   with. Without allow-devices the cgroup still says no.
 * - make-link: a text that is only ever interpreted inside the container.
 * - update-ldcache: runs without privileges in a sandbox of its own, where nothing can be written to; see sandbox.ts.
 *   What comes out of it is bytes: a cache that only this container reads, and names for links beside our libraries.
 * - allow-devices: grants exactly the numbers of the nodes in this plan, and only in this container's cgroup.
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
    case "update-ldcache":
      return 'update "/etc/ld.so.cache" of';
    case "allow-devices":
      return `allow ${operation.rules.length} devices in`;
  }
};

/** The one line that says which operation failed and why, and the lines below it that say who asked for it. */
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

/** What the image had in the way and is still there under another name. */
function leftover(failure: unknown): Finding {
  if (!(failure instanceof SystemError)) throw failure;
  return finding("container-leftover", "warning", "set aside", { call: failure.call });
}

/**
 * Makes all operations true, or none: what was done before a failure is taken back in reverse.
 *
 * The process has to be in the container's mount namespace, with /proc/self/fd as current directory.
 *
 * @throws NvociError that names the operation, the failed call and the line that asked for it.
 */
export function execute(operations: readonly Operation[], context: ExecuteContext): void {
  const { system, root, containerName, report } = context;
  const undo = newUndo();
  // What cannot be written is taken back like any other failure.
  system.ignoreWriteSignals();
  const lock = lockRoot(system, root);
  // Modes of what we make are those in the plan.
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
