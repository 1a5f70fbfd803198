import {
  capabilityFiles,
  type DeviceFileRules,
  parseDeviceFileRules,
  readDeviceFileRules,
} from "../driver/capabilities.ts";
import { capabilityNode, gpuNode, imexNode, parseCharMajors } from "../driver/device-nodes.ts";
import { PARAMS_FILE } from "../driver/driver-version.ts";
import { CONTROL_NODES, type KernelModule, NVIDIA_MAJOR } from "../driver/facts/control-nodes.ts";
import { readGpus } from "../driver/gpus.ts";
import { type Finding, finding, type Report } from "../model/finding.ts";
import { hostPath } from "../model/paths.ts";
import { type HostView, readText } from "../model/views.ts";

/** A device node that the driver's libraries open. */
export interface DriverNode {
  /** Path below the root that has the nodes: `/dev/nvidiactl`. */
  readonly path: string;
  readonly major: number;
  readonly minor: number;
  readonly rules: DeviceFileRules;
}

/** Selects the nodes. */
export interface DriverNodesInput {
  readonly host: HostView;
  /** Modules that are loaded or will be. */
  readonly modules: readonly KernelModule[];
  readonly imexChannels: readonly number[];
}

const IMEX_DRIVER = "nvidia-caps-imex-channels";

const numberUnknown = (path: string, driver: string): Finding =>
  finding("device-number-unknown", "info", "host", { path, driver });

/**
 * Returns the device nodes that the host should have: those of the driver, of every GPU, of every GPU instance, and of
 * the given IMEX channels. Reports a finding for each node whose number the kernel does not report.
 */
export function driverNodes(
  { host, modules, imexChannels }: DriverNodesInput,
  report: Report,
): readonly DriverNode[] {
  const majors = parseCharMajors(readText(host, hostPath("/proc/devices")) ?? "");
  const rules = parseDeviceFileRules(readText(host, PARAMS_FILE) ?? "");
  const nodes: DriverNode[] = [];
  const add = (path: string, number: number | string, minor: number, own = rules): void => {
    const major = typeof number === "number" ? number : majors.get(number);
    if (major !== undefined) nodes.push({ path, major, minor, rules: own });
    else report(numberUnknown(path, `${number}`));
  };

  for (const { module, path, major, minor } of CONTROL_NODES) {
    if (modules.includes(module)) add(path, major, minor);
  }
  if (!modules.includes("nvidia")) return nodes;
  for (const minor of gpuMinors(host)) add(gpuNode(minor), NVIDIA_MAJOR, minor);
  for (const file of capabilityFiles(host)) {
    const own = readDeviceFileRules(host, file);
    const { minor } = own;
    if (minor !== undefined && minor < 1 << 20) add(capabilityNode(minor), "nvidia-caps", minor, own);
  }
  for (const channel of imexChannels) {
    if (channel < rules.imexChannelCount) add(imexNode(channel), IMEX_DRIVER, channel);
    else report(numberUnknown(imexNode(channel), IMEX_DRIVER));
  }
  return nodes;
}

/** Returns the minors of all GPUs. They start at 0; a GPU that was added later may have a minor beyond the count. */
function gpuMinors(host: HostView): readonly number[] {
  const minors = new Set(Array.from({ length: countGpus(host) }, (_, minor) => minor));
  for (const { minor } of readGpus(host, () => {})) minors.add(minor);
  return [...minors].filter((minor) => minor < 254).sort((a, b) => a - b);
}

const PCI_DEVICES = "/sys/bus/pci/devices";
const VENDOR_NVIDIA = "0x10de";
/** PCI base class of display controllers, including GPUs without a display connector. */
const CLASS_DISPLAY = "0x03";

/** Counts the NVIDIA GPUs on the PCI bus, whether or not the driver is bound to them. */
function countGpus(host: HostView): number {
  const is = (file: string, beginning: string): boolean =>
    (readText(host, hostPath(`${PCI_DEVICES}/${file}`)) ?? "").startsWith(beginning);
  return (host.readDirectory(hostPath(PCI_DEVICES)) ?? []).filter(
    (name) => is(`${name}/vendor`, VENDOR_NVIDIA) && is(`${name}/class`, CLASS_DISPLAY),
  ).length;
}
