import { loadConfig } from "../config/load-config.ts";
import { discover } from "../discover/discover.ts";
import { openDeviceCgroup } from "../execute/cgroup/device-cgroup.ts";
import { execute } from "../execute/execute.ts";
import { type Confinement, type Ids, openImageConfinement } from "../execute/ldconfig/confinement.ts";
import { allowOpenFiles, enterContainer } from "../execute/mount/namespace.ts";
import { openImage } from "../execute/rootfs/root-view.ts";
import { prepareHost } from "../host-setup/prepare-host.ts";
import { NvociError } from "../model/errors.ts";
import { machineOf } from "../model/machine.ts";
import { hostPath } from "../model/paths.ts";
import type { HostView } from "../model/views.ts";
import type { Spec } from "../oci/spec.ts";
import type { State } from "../oci/state.ts";
import type { Operation } from "../plan/operation.ts";
import { plan } from "../plan/plan.ts";
import { resolveRequest } from "../request/resolve-request.ts";
import { O_RDONLY } from "../sys/constants.ts";
import { linuxHost } from "../sys/linux-host.ts";
import { CWD, type Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";
import { type Log, newLog } from "./log.ts";
import type { HookOptions } from "./read-spec.ts";

/** For the trial of `nvoci doctor`, which loads this part so that the hook's own code is not split for it. */
export { allowOpenFiles, execute };

/**
 * Injects the driver that a container requests. Enters the container's mount namespace and stays there.
 *
 * @throws {NvociError} when the request cannot be met. All changes to the container are undone then.
 */
export function inject(system: Syscalls, state: State, spec: Spec, options: HookOptions): void {
  const name = state.id === "" ? `of process ${state.pid}` : state.id.slice(0, 12);
  const log = newLog(system, name, options.debug);
  try {
    injectInto({ name, system, state, spec, options, log });
  } catch (error) {
    const failure = error instanceof SystemError ? unprepared(name, error) : error;
    if (failure instanceof NvociError) log.error(failure);
    throw failure;
  }
}

/** Wraps the failure of a call before the first operation, because the call alone does not explain its purpose. */
function unprepared(name: string, error: SystemError): NvociError {
  const failed = error.message.replace(/^C/, "c");
  return new NvociError("system-call", `Cannot prepare container ${name}: ${failed}`, {
    hint: error.hint,
    call: error.call,
  });
}

/** The input of one injection. */
interface Injection {
  /** The container's name in messages. */
  readonly name: string;
  readonly system: Syscalls;
  readonly state: State;
  readonly spec: Spec;
  readonly options: HookOptions;
  readonly log: Log;
}

/**
 * Limit on the hook from its first access to the image, in seconds. A request with a thousand entries takes a fraction
 * of a second. SIGALRM ends the process, even while it waits in the kernel for a file server that is gone, which a
 * check of the clock could not. Nothing is undone then, and the runtime discards the container.
 */
const TIMEOUT_S = 60;

/** Runs the phases of ARCHITECTURE.md: configuration, request, host, discovery, plan and its execution. */
function injectInto(injection: Injection): void {
  const { system, state, spec, options, log } = injection;
  const { report } = log;
  const host = linuxHost(system);
  const owner = containerOwner(host, state.pid);

  const { config } = loadConfig(host, options.environ, options.config, spec.env, report);
  log.open(config.nvidiaContainerCli.debug, config.nvidiaContainerRuntime.logLevel);
  const request = resolveRequest(spec, config, report);
  if (request === undefined) return;
  prepareHost(system, host, config, request, report);
  // After prepareHost, because loading a kernel module has its own time limit.
  system.setitimer(TIMEOUT_S);
  const process = `/proc/${state.pid}`;
  const image = openImage(system, hostPath(`${process}/root${spec.root.path}`), process);
  const machine = machineOf(system.arch);
  const givenDevices = new Set<string>(spec.devices.map(({ path }) => path));
  const edits = discover({ host, image, machine, config, request, givenDevices }, report);
  executePlan(plan(edits, { cgroups: !config.nvidiaContainerCli.noCgroups }), injection, host, owner);
}

/** Executes a plan in the container's mount namespace. */
function executePlan(
  operations: readonly Operation[],
  { name, system, state, spec, log }: Injection,
  host: HostView,
  owner: Ids,
): void {
  if (operations.length === 0) return;
  const needsCgroup = operations.some(({ op }) => op === "allow-devices");
  const allowDevices = needsCgroup ? openDeviceCgroup(system, host, state.pid) : () => {};
  const runsImage = operations.some(
    (operation) => operation.op === "update-ldcache" && operation.ldconfig.from === "container",
  );
  const confinement = openConfinement(system, state, spec, owner, runsImage);
  allowOpenFiles(system);
  const root = enterContainer(system, { pid: state.pid, rootPath: spec.root.path });
  execute(operations, {
    system,
    root,
    containerName: name,
    confinement,
    allowDevices,
    report: log.report,
    mountLabel: spec.mountLabel,
  });
  log.info(`performed ${operations.length} operations`);
}

const RAMFS_MAGIC = 0x858458f6;
const TMPFS_MAGIC = 0x01021994;

/** Opens what confines ldconfig, while /proc is still the host's. */
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

/**
 * Returns the host ids of the container's root: the owner of its init process.
 *
 * @throws {NvociError} "state-invalid" when the process does not exist.
 */
function containerOwner(host: HostView, pid: number): Ids {
  const stat = host.lstat(hostPath(`/proc/${pid}`));
  if (stat === undefined) {
    throw new NvociError("state-invalid", `Cannot inject into process ${pid}: there is no such process`);
  }
  return { uid: stat.uid, gid: stat.gid };
}
