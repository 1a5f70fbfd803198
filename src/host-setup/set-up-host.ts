import { isLoaded, isPresent, VERSION_FILE } from "../driver/driver-version.ts";
import type { KernelModule } from "../driver/facts/control-nodes.ts";
import { finding, type Report } from "../model/finding.ts";
import type { HostPath } from "../model/paths.ts";
import { type HostView, isInitialUserNamespace } from "../model/views.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { driverNodes } from "./driver-nodes.ts";
import { loadModule, modprobePath } from "./load-module.ts";
import { makeNodes } from "./make-nodes.ts";
import { planNodes, type SetupAction } from "./plan-nodes.ts";

/** The modules and nodes that the host should have. */
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
 * Loads missing modules of the driver and makes missing device nodes. Failures are reported as findings.
 *
 * @param dryRun whether to change nothing.
 * @returns the actions that were performed. With `dryRun`, those that would be, as far as is known before a module is
 * loaded.
 */
export function setUpHost(
  system: Syscalls,
  host: HostView,
  setup: HostSetup,
  report: Report,
  dryRun = false,
): readonly SetupAction[] {
  const obstacle = dryRun ? undefined : findObstacle(system, host);
  if (obstacle !== undefined) {
    report(finding("host-setup-skipped", "warning", "host", { reason: obstacle }));
    return [];
  }
  const loaded = setup.load ? loadModules(system, host, setup, report, dryRun) : [];
  const expected = loaded.flatMap((action) => (action.do === "load-module" ? [action.name] : []));
  if (host.lstat(VERSION_FILE) === undefined && !(dryRun && expected.includes("nvidia"))) {
    if (!setup.load) report(finding("driver-not-loaded", "warning", "host", {}));
    return loaded;
  }

  const { imexChannels, deviceRoot: root, devChar } = setup;
  const modules = setup.modules.filter(
    (name) => name === "nvidia" || isPresent(host, name) || (dryRun && expected.includes(name)),
  );
  const nodes = driverNodes({ host, modules, imexChannels }, report);
  const plans = planNodes(host, { root, nodes, devChar }, report);
  const made = dryRun ? plans.flatMap(({ actions }) => actions) : makeNodes(system, plans, report);
  return [...loaded, ...made];
}

function loadModules(
  system: Syscalls,
  host: HostView,
  setup: HostSetup,
  report: Report,
  dryRun: boolean,
): readonly SetupAction[] {
  const done: SetupAction[] = [];
  const modprobe = { path: modprobePath(host), root: setup.moduleRoot };
  for (const name of setup.modules) {
    if (isLoaded(host, name)) continue;
    const reason = dryRun ? undefined : loadModule(system, modprobe, name);
    if (reason === undefined) {
      done.push({ do: "load-module", name });
      continue;
    }
    report(finding("kernel-module-not-loaded", "warning", "host", { module: name, reason }));
    // All modules depend on the first, and not on each other.
    if (name === "nvidia") break;
  }
  return done;
}

/** Returns what prevents this process from changing the host. */
function findObstacle(system: Syscalls, host: HostView): "user-namespace" | "not-root" | undefined {
  if (!isInitialUserNamespace(host)) return "user-namespace";
  return system.geteuid() === 0 ? undefined : "not-root";
}
