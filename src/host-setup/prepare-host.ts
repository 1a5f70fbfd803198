import type { Config } from "../config/config.ts";
import { deviceRoot } from "../discover/server/device-nodes.ts";
import { readText } from "../discover/server/driver-version.ts";
import { withImplied } from "../discover/server/library-table.ts";
import type { DriverCapability } from "../model/driver-capability.ts";
import { ignorable } from "../model/errors.ts";
import { type Finding, finding } from "../model/finding.ts";
import type { HostView } from "../model/host-view.ts";
import { below } from "../model/paths.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { CAPABILITIES, capabilityFiles } from "./capability-files.ts";
import { parseDeviceFileRules } from "./device-file-rules.ts";
import { DRIVER_VERSION_FILE, KERNEL_MODULES, type KernelModule } from "./kernel-modules.ts";
import { DEV_CHAR } from "./plan-nodes.ts";
import { type HostSetup, setUpHost } from "./set-up-host.ts";

/** What a container asks of the driver, as far as the host has to be prepared for it. */
export interface WantedDriver {
  readonly driverCapabilities: readonly DriverCapability[];
  readonly imexChannels: readonly number[];
  /** Whether missing nodes of the channels may be made. */
  readonly mayCreateImexChannels: boolean;
}

/** What a module is for; one without is for every container. */
const PURPOSES: Readonly<Partial<Record<KernelModule, DriverCapability>>> = {
  "nvidia-uvm": "compute",
  "nvidia-modeset": "graphics",
};

/** A node by which to tell that a module's nodes are there. */
const NODES: Readonly<Record<KernelModule, readonly string[]>> = {
  nvidia: ["/dev/nvidiactl", "/dev/nvidia0"],
  "nvidia-uvm": ["/dev/nvidia-uvm"],
  "nvidia-modeset": ["/dev/nvidia-modeset"],
};

/**
 * Loads what a container needs of the driver and makes its device nodes, once after the host has started: later calls
 * look at a handful of names and find them. For hosts whose driver is found without manifests.
 *
 * @returns findings; whether the container can start is for the discovery that follows.
 */
export function prepareHost(
  system: Syscalls,
  host: HostView,
  config: Config,
  wanted: WantedDriver,
): readonly Finding[] {
  if (!config.nvidiaContainerCli.loadKmods) return [];
  try {
    const setup = hostSetup(host, config, wanted);
    return isSetUp(host, setup) ? [] : setUpHost(system, host, setup).findings;
  } catch (error) {
    return [finding("host-setup-failed", "warning", "host", { reason: ignorable(error).message })];
  }
}

function hostSetup(host: HostView, config: Config, wanted: WantedDriver): HostSetup {
  const { root } = config.nvidiaContainerCli;
  const capabilities = withImplied(wanted.driverCapabilities);
  const modules = KERNEL_MODULES.filter((name) => {
    const purpose = PURPOSES[name];
    return purpose === undefined || capabilities.has(purpose);
  });
  const isAllowed = wanted.mayCreateImexChannels && !config.features.disableImexChannelCreation;
  const imexChannels = isAllowed ? wanted.imexChannels : [];
  return {
    moduleRoot: root,
    deviceRoot: deviceRoot(host, root),
    modules,
    load: true,
    imexChannels,
    devChar: true,
  };
}

function isSetUp(host: HostView, { deviceRoot: root, modules, imexChannels }: HostSetup): boolean {
  const nodes = [
    ...modules.flatMap((name) => NODES[name]),
    ...imexChannels.map((channel) => `/dev/nvidia-caps-imex-channels/channel${channel}`),
    ...instanceNodes(host),
  ];
  return [DRIVER_VERSION_FILE, below(DEV_CHAR, "/195:255"), ...nodes.map((path) => below(root, path))].every(
    (path) => host.lstat(path) !== undefined,
  );
}

/** Nodes of GPU instances, which come and go while the host runs. */
function instanceNodes(host: HostView): readonly string[] {
  const hasMig = (host.readDirectory(CAPABILITIES) ?? []).some((name) => name.startsWith("gpu"));
  if (!hasMig) return [];
  return capabilityFiles(host).flatMap((file) => {
    const { minor } = parseDeviceFileRules(readText(host, file) ?? "");
    return minor === undefined ? [] : [`/dev/nvidia-caps/nvidia-cap${minor}`];
  });
}
