import { openDeviceCgroup } from "../execute/device-cgroup.ts";
import { execute } from "../execute/execute.ts";
import { openImageConfinement } from "../execute/image-confinement.ts";
import { enterContainer } from "../execute/namespace.ts";
import { allowOpenFiles } from "../execute/open-files.ts";
import type { Confinement, Ids } from "../execute/sandbox.ts";
import { NvociError } from "../model/errors.ts";
import type { Finding } from "../model/finding.ts";
import { hostPath } from "../model/paths.ts";
import type { Spec } from "../oci/spec.ts";
import type { State } from "../oci/state.ts";
import { O_RDONLY } from "../sys/constants.ts";
import { CWD } from "../sys/fd.ts";
import { STDERR } from "../sys/linux.ts";
import { linuxHost } from "../sys/linux-host.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";
import { gather, liveRoot, type Prepare } from "./gather.ts";
import { openLog } from "./log.ts";
import { prepareServer } from "./prepare-server.ts";
import type { HookOptions } from "./prestart.ts";

/**
 * What a hook may take from its first look at the image, in seconds; with a thousand entries it takes a fraction of
 * one. The end is SIGALRM's: it also ends a wait in the kernel for a file server that has gone, which no clock of
 * our own could. Nothing is undone then, and the runtime throws the container away.
 */
const TIMEOUT = 60;

const RAMFS_MAGIC = 0x858458f6;
const TMPFS_MAGIC = 0x01021994;

/** Opens what confines ldconfig, while /proc is the host's. */
function openConfinement(
  system: Syscalls,
  state: State,
  spec: Spec,
  owner: Ids,
  runsImage: boolean,
): Confinement {
  const open = (name: string) => system.openat(CWD, `/proc/${state.pid}/ns/${name}`, O_RDONLY);
  const root = system.openat(CWD, "/", O_RDONLY | system.O_DIRECTORY);
  const { type } = system.fstatfs(root);
  system.close(root);
  return {
    network: open("net"),
    ipc: open("ipc"),
    owner,
    image: runsImage ? openImageConfinement(system, state.pid, spec) : undefined,
    rebind: spec.userNamespace ? spec.root.path : undefined,
    noPivot: type === RAMFS_MAGIC || type === TMPFS_MAGIC,
  };
}

/** Host ids of the container's root: what owns its init. */
function containerOwner(system: Syscalls, pid: number): Ids {
  const stat = linuxHost(system).lstat(hostPath(`/proc/${pid}`));
  if (stat === undefined) {
    throw new NvociError("state-invalid", `Cannot inject into process ${pid}: there is no such process`);
  }
  return { uid: stat.uid, gid: stat.gid };
}

/**
 * Gives a container what it asks for: gathers, plans, and executes the plan in the container's mount namespace.
 * Enters that namespace and does not come back.
 *
 * @throws NvociError when the container cannot have it; nothing of it is left behind then.
 */
export function inject(system: Syscalls, state: State, spec: Spec, options: HookOptions): void {
  const name = state.id === "" ? `of process ${state.pid}` : state.id.slice(0, 12);
  try {
    injectInto(name, system, state, spec, options);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    // A call on the way to the first operation. Its name alone tells nobody what was wanted.
    const failed = error.message.replace(/^C/, "c");
    throw new NvociError("system-call", `Cannot prepare container ${name}: ${failed}`, [error.call]);
  }
}

/** Lets the time begin after the host's modules are loaded: each of those has a time of its own. */
const withTimeout =
  (system: Syscalls, prepare: Prepare): Prepare =>
  (config, request) => {
    const findings = prepare(config, request);
    system.setitimer(TIMEOUT);
    return findings;
  };

function injectInto(name: string, system: Syscalls, state: State, spec: Spec, options: HookOptions): void {
  const owner = containerOwner(system, state.pid);
  const { config, operations, findings } = gather(
    system,
    spec,
    liveRoot(state.pid, spec.root.path),
    options,
    withTimeout(system, prepareServer(system)),
  );
  const log = openLog(system, config.nvidiaContainerCli.debug, config.nvidiaContainerRuntime.logLevel, name);
  const report = (all: readonly Finding[]): void => {
    log.findings(all);
    if (options.debug) log.findingsTo(STDERR, all);
  };
  report(findings);
  if (operations.length === 0) return;
  try {
    const host = linuxHost(system);
    const needsCgroup = operations.some(({ op }) => op === "allow-devices");
    const allowDevices = needsCgroup ? openDeviceCgroup(system, host, state.pid) : () => {};
    const runsImage = operations.some(
      (operation) => operation.op === "update-ldcache" && operation.ldconfig.from === "container",
    );
    const confinement = openConfinement(system, state, spec, owner, runsImage);
    allowOpenFiles(system);
    const root = enterContainer(system, { pid: state.pid, rootPath: spec.root.path });
    const { mountLabel } = spec;
    report(execute(operations, { system, root, containerName: name, confinement, allowDevices, mountLabel }));
    log.info(`made ${operations.length} operations`);
  } catch (error) {
    if (error instanceof NvociError) log.error(error);
    throw error;
  }
}
