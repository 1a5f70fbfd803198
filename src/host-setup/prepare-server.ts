import type { Config } from "../config/config.ts";
import { CAPABILITIES, capabilityFiles, readDeviceFileRules } from "../driver/capabilities.ts";
import { capabilityNode, driverNodeRoot, gpuNode, imexNode } from "../driver/device-nodes.ts";
import { VERSION_FILE } from "../driver/driver-version.ts";
import { CONTROL_NODES, controlNodesFor, KERNEL_MODULES } from "../driver/facts/control-nodes.ts";
import { type DriverCapability, withImplied } from "../model/driver-capability.ts";
import { ignorable } from "../model/errors.ts";
import { finding, type Report } from "../model/finding.ts";
import { below } from "../model/paths.ts";
import type { HostView } from "../model/views.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { DEV_CHAR } from "./plan-nodes.ts";
import { type HostSetup, setUpHost } from "./set-up-host.ts";

/** The parts of a request that the host must be prepared for. */
export interface WantedDriver {
  readonly driverCapabilities: readonly DriverCapability[];
  readonly imexChannels: readonly number[];
  /** Whether missing nodes of IMEX channels may be made. */
  readonly mayCreateImexChannels: boolean;
}

/**
 * Loads the driver's modules that a container needs and makes its device nodes. This happens once after the host has
 * started; later calls only check a few names. Failures are reported as findings.
 */
export function prepareServer(
  system: Syscalls,
  host: HostView,
  config: Config,
  wanted: WantedDriver,
  report: Report,
): void {
  try {
    const setup = hostSetup(host, config, wanted);
    if (!isSetUp(host, setup)) setUpHost(system, host, setup, report);
  } catch (error) {
    report(finding("host-setup-failed", "warning", "host", { reason: ignorable(error).message }));
  }
}

function hostSetup(host: HostView, config: Config, wanted: WantedDriver): HostSetup {
  const { root } = config.nvidiaContainerCli;
  const capabilities = withImplied(wanted.driverCapabilities);
  const nodes = controlNodesFor(capabilities);
  const modules = KERNEL_MODULES.filter((name) => nodes.some(({ module }) => module === name));
  const isAllowed = wanted.mayCreateImexChannels && !config.features.disableImexChannelCreation;
  const imexChannels = isAllowed ? wanted.imexChannels : [];
  return {
    moduleRoot: root,
    deviceRoot: driverNodeRoot(host, root),
    modules,
    load: true,
    imexChannels,
    devChar: true,
  };
}

function isSetUp(host: HostView, { deviceRoot: root, modules, imexChannels }: HostSetup): boolean {
  const nodes = [
    ...modules.map((name) => CONTROL_NODES.find(({ module }) => module === name)?.path ?? ""),
    gpuNode(0),
    ...imexChannels.map(imexNode),
    ...instanceNodes(host),
  ];
  return [VERSION_FILE, below(DEV_CHAR, "/195:255"), ...nodes.map((path) => below(root, path))].every(
    (path) => host.lstat(path) !== undefined,
  );
}

/** Returns the nodes of GPU instances, which can change while the host runs. */
function instanceNodes(host: HostView): readonly string[] {
  const hasMig = (host.readDirectory(CAPABILITIES) ?? []).some((name) => name.startsWith("gpu"));
  if (!hasMig) return [];
  return capabilityFiles(host).flatMap((file) => {
    const { minor } = readDeviceFileRules(host, file);
    return minor === undefined ? [] : [capabilityNode(minor)];
  });
}
