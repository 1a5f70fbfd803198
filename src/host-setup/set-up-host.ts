import { readText } from "../discover/server/driver-version.ts";
import { type Finding, finding } from "../model/finding.ts";
import type { HostView } from "../model/host-view.ts";
import type { HostPath } from "../model/paths.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { driverNodes } from "./driver-nodes.ts";
import { DRIVER_VERSION_FILE, isLoaded, isPresent, type KernelModule } from "./kernel-modules.ts";
import { loadModule } from "./load-module.ts";
import { type Made, makeNodes } from "./make-nodes.ts";
import { modprobePath } from "./modprobe-path.ts";
import { planNodes } from "./plan-nodes.ts";
import type { SetupAction } from "./setup-action.ts";

/** What the host is to have. */
export interface HostSetup {
  /** The root that has the kernel modules. */
  readonly moduleRoot: HostPath;
  /** The root whose `dev` gets the nodes. */
  readonly deviceRoot: HostPath;
  readonly modules: readonly KernelModule[];
  /** Whether missing modules are loaded. */
  readonly load: boolean;
  readonly imexChannels: readonly number[];
  /** Whether /dev/char gets links to the nodes. */
  readonly devChar: boolean;
}

/**
 * Loads the driver's modules and makes its device nodes, where they are missing. Nothing that fails here is fatal.
 *
 * @param dryRun changes nothing; `done` is then what would be done, as far as that can be known before a module runs.
 */
export function setUpHost(system: Syscalls, host: HostView, setup: HostSetup, dryRun = false): Made {
  const obstacle = dryRun ? undefined : findObstacle(system, host);
  if (obstacle !== undefined) {
    return { done: [], findings: [finding("host-setup-skipped", "warning", "host", { reason: obstacle })] };
  }
  const loaded = setup.load ? loadModules(system, host, setup, dryRun) : { done: [], findings: [] };
  const expected = loaded.done.flatMap((action) => (action.do === "load-module" ? [action.name] : []));
  if (host.lstat(DRIVER_VERSION_FILE) === undefined && !(dryRun && expected.includes("nvidia"))) {
    const missing = setup.load ? [] : [finding("driver-not-loaded", "warning", "host", {})];
    return { done: loaded.done, findings: [...loaded.findings, ...missing] };
  }

  const { imexChannels, deviceRoot: root, devChar } = setup;
  const modules = setup.modules.filter(
    (name) => name === "nvidia" || isPresent(host, name) || (dryRun && expected.includes(name)),
  );
  const { nodes, findings } = driverNodes({ host, modules, imexChannels });
  const planned = planNodes(host, { root, nodes, devChar });
  const made: Made = dryRun
    ? { done: planned.plans.flatMap(({ actions }) => actions), findings: [] }
    : makeNodes(system, planned.plans);
  return {
    done: [...loaded.done, ...made.done],
    findings: [...loaded.findings, ...findings, ...planned.findings, ...made.findings],
  };
}

function loadModules(system: Syscalls, host: HostView, setup: HostSetup, dryRun: boolean): Made {
  const done: SetupAction[] = [];
  const findings: Finding[] = [];
  const modprobe = { path: modprobePath(host), root: setup.moduleRoot };
  for (const name of setup.modules) {
    if (isLoaded(host, name)) continue;
    const reason = dryRun ? undefined : loadModule(system, modprobe, name);
    if (reason === undefined) {
      done.push({ do: "load-module", name });
      continue;
    }
    findings.push(finding("kernel-module-not-loaded", "warning", "host", { module: name, reason }));
    // The others need the first, and none of them needs another.
    if (name === "nvidia") break;
  }
  return { done, findings };
}

/** The only range of ids in a user namespace that is none: every id stands for itself. @see user_namespaces(7) */
const IDENTITY = "0 0 4294967295";

/** What keeps this process from changing the host. */
function findObstacle(system: Syscalls, host: HostView): "user-namespace" | "not-root" | undefined {
  for (const file of ["/proc/self/uid_map", "/proc/self/gid_map"]) {
    const text = readText(host, file);
    if (text !== undefined && text.trim().split(/\s+/).join(" ") !== IDENTITY) return "user-namespace";
  }
  return system.geteuid() === 0 ? undefined : "not-root";
}
