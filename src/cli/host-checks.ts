import type { Config } from "../config/config.ts";
import { chooseLdconfig } from "../discover/choose-ldconfig.ts";
import { isDeviceHierarchy, parseMountTable } from "../execute/mount/mount-table.ts";
import type { Finding } from "../model/finding.ts";
import { type HostPath, hostPath, PROGRAM_DIRECTORIES } from "../model/paths.ts";
import { type HostView, readText } from "../model/views.ts";
import type { Operation, OperationOf } from "../plan/operation.ts";
import { type Check, check } from "../render/render-check.ts";
import { renderOperation } from "../render/render-plan.ts";
import { RESOLVE_IN_ROOT } from "../sys/constants.ts";
import { ENOSYS } from "../sys/errno.ts";
import { Fd, type Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";
import { decodeUtf8 } from "../text/utf8.ts";
import type { CommandContext } from "./command.ts";
import { DEBIAN_IMAGE } from "./imaginary-container.ts";
import { entryStates, type HostReport } from "./read-host.ts";

const OPEN_TO_OTHERS = 0o006;

/** Reports which device nodes containers get, and whether users other than root may open them. */
export function checkDevices(host: HostView, operations: readonly Operation[]): Check[] {
  const nodes = operations.filter((operation) => operation.op === "bind-device");
  if (nodes.length === 0) return [check("fail", "devices-none", {})];
  const closed = nodes.filter(({ fileMode }) => (fileMode & OPEN_TO_OTHERS) !== OPEN_TO_OTHERS);
  const given = check("ok", "devices", { nodes: nodes.map(renderOperation) });
  if (closed.length === 0) return [given];
  return [given, check("ok", "devices-closed", { count: closed.length, groups: groupsOf(host, closed) })];
}

/** Returns the group ids of the host's nodes, ascending. The container's nodes have the same. */
function groupsOf(host: HostView, nodes: readonly OperationOf<"bind-device">[]): number[] {
  const groups = new Set(nodes.map((node) => host.lstat(node.hostPath)?.gid ?? 0));
  return [...groups].sort((a, b) => a - b);
}

/** Finds a program by its name where daemons look, or by its absolute path. A dangling link does not count. */
export function findProgram(host: HostView, name: string): HostPath | undefined {
  const candidates = name.startsWith("/")
    ? [name]
    : PROGRAM_DIRECTORIES.map((directory) => `${directory}/${name}`);
  return candidates.map(hostPath).find((path) => host.realPath(path) !== undefined);
}

const FILE = hostPath("/etc/docker/daemon.json");

/** The part of daemon.json that is read. The types are not checked. */
interface DaemonFile {
  readonly runtimes?: { readonly nvidia?: { readonly path?: unknown } };
  readonly "default-runtime"?: unknown;
}

/**
 * Reports whether the runtime `nvidia` is registered with Docker. `--gpus` does not need it: it uses the hook's
 * name.
 *
 * @see dockerd(8), "Daemon configuration file"
 */
export function checkDocker(host: HostView): Check {
  const bytes = host.readFile(FILE);
  if (bytes === undefined) {
    if (findProgram(host, "dockerd") === undefined) return check("ok", "docker-absent", {});
    return check("warn", "docker-runtime-unregistered", { file: FILE });
  }
  const daemon = parse(decodeUtf8(bytes) ?? "");
  if (daemon === undefined) return check("warn", "docker-unreadable", { file: FILE });
  const path = daemon.runtimes?.nvidia?.path;
  const isDefault = daemon["default-runtime"] === "nvidia";
  if (typeof path !== "string") {
    // If the default runtime is not registered, dockerd does not start, or no container does.
    return check(isDefault ? "fail" : "warn", "docker-runtime-unregistered", { file: FILE });
  }
  if (findProgram(host, path) === undefined) {
    return check("fail", "docker-runtime-broken", { file: FILE, path });
  }
  return check("ok", "docker-runtime", { file: FILE, path, isDefault });
}

function parse(text: string): DaemonFile | undefined {
  try {
    const value: unknown = JSON.parse(text.trim() === "" ? "{}" : text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** An invalid descriptor: a kernel that has the call returns EBADF and does nothing. */
const NONE = new Fd(-1, "none");

/** System calls that nvoci can do without, each with the kernel version that added it. */
const NEWER_CALLS: Readonly<Record<string, (system: Syscalls) => void>> = {
  "openat2 (5.6)": (system) =>
    system.close(system.openat2(NONE, "x", { flags: 0, resolve: RESOLVE_IN_ROOT })),
  "open_tree (5.2)": (system) => system.close(system.open_tree(NONE, "x", 0)),
  "mount_setattr (5.12)": (system) => system.mount_setattr(NONE, "x", 0, { attrSet: 0 }),
};

/** Reports which newer system calls the kernel lacks, or a seccomp filter hides. */
export function checkKernel({ system, host }: CommandContext): Check {
  const text = readText(host, hostPath("/proc/sys/kernel/osrelease"));
  const missing = Object.keys(NEWER_CALLS).filter((name) => isMissing(system, NEWER_CALLS[name]));
  return check("ok", "kernel", { release: text?.trim() || "unknown", missing });
}

function isMissing(system: Syscalls, call: ((calls: Syscalls) => void) | undefined): boolean {
  try {
    call?.(system);
    return false;
  } catch (error) {
    if (error instanceof SystemError) return error.errno === ENOSYS;
    throw error;
  }
}

/** Reports which ldconfig updates containers' caches. */
export function checkLdconfig(host: HostView, config: Config): Check[] {
  const findings: Finding[] = [];
  const ldconfig = chooseLdconfig(host, DEBIAN_IMAGE, config, (found) => findings.push(found));
  const unusable = findings
    .filter(({ severity }) => severity === "warning")
    .map((finding) => check("warn", "finding", { finding }));
  if (ldconfig === undefined) {
    const code = config.nvoci.ldconfig ? "ldconfig-missing" : "ldconfig-none";
    return [...unusable, check("warn", code, {})];
  }
  const { path } = ldconfig;
  return ldconfig.from === "host"
    ? [...unusable, check("ok", "ldconfig-host", { path })]
    : [...unusable, check("ok", "ldconfig-image", { path })];
}

/** Returns the file of a source: `l4t.csv` for `l4t.csv:41`. */
const fileOf = (source: string): string => source.replace(/:\d+$/, "");

/**
 * Reports which manifests are read, which are not and why, and how many of their entries the host has.
 *
 * @param findings the findings for a container that requests everything.
 */
export function checkManifests(facts: HostReport, findings: readonly Finding[]): Check[] {
  const { manifestDirectory: directory, manifests } = facts;
  const { specs } = manifests;
  const states = entryStates(specs, findings);
  const files = [...new Set(specs.map(({ source }) => fileOf(source)))];
  return [
    specs.length === 0
      ? check("fail", "manifests-none", { directory, major: facts.platform.release?.major })
      : check("ok", "manifests", { directory, entries: specs.length }),
    ...files.map((file) => {
      const own = states.filter(({ spec }) => fileOf(spec.source) === file);
      const missing = own.filter((state) => !state.found).map(({ spec }) => `${spec.type}, ${spec.path}`);
      const found = own.length - missing.length;
      return check(found === 0 ? "warn" : "ok", "manifest", { file, found, missing });
    }),
    ...manifests.findings.map((finding) =>
      check(finding.severity === "warning" ? "warn" : "ok", "finding", { finding }),
    ),
  ];
}

/** The name that dockerd looks for when a container is run with `--gpus`. */
const HOOK_NAME = "nvidia-container-runtime-hook";

/** Reports whether the hook is installed under its name, and whether the wrapper finds a low-level runtime. */
export function checkPrograms(host: HostView, config: Config): Check[] {
  const hook = findProgram(host, HOOK_NAME);
  const names = config.nvidiaContainerRuntime.runtimes;
  const runtime = names.map((name) => findProgram(host, name)).find((path) => path !== undefined);
  return [
    hook === undefined
      ? check("warn", "hook-missing", { name: HOOK_NAME })
      : check("ok", "hook-found", { path: hook }),
    runtime === undefined
      ? check("warn", "runtime-missing", { names })
      : check("ok", "runtime-found", { path: runtime }),
  ];
}

/**
 * Reports which cgroup version controls devices on this host: version 1 if its devices controller is mounted.
 *
 * @see proc_pid_mountinfo(5)
 */
export function checkCgroup(host: HostView, noCgroups: boolean): Check {
  const table = parseMountTable(readText(host, hostPath("/proc/self/mountinfo")) ?? "");
  for (const version of [1, 2] as const) {
    if (table.some((mount) => isDeviceHierarchy(mount, version))) return check("ok", "cgroup", { version });
  }
  return check(noCgroups ? "ok" : "fail", "cgroup-none", {});
}
