import { readText } from "../discover/server/driver-version.ts";
import { discoverGpus } from "../discover/server/gpus.ts";
import { type Finding, finding } from "../model/finding.ts";
import type { HostView } from "../model/host-view.ts";
import { capabilityFiles } from "./capability-files.ts";
import { parseCharMajors } from "./char-majors.ts";
import { countGpus } from "./count-gpus.ts";
import { type DeviceFileRules, parseDeviceFileRules } from "./device-file-rules.ts";
import type { KernelModule } from "./kernel-modules.ts";

/** A device node that the driver's libraries open. */
export interface DriverNode {
  /** Below the root that has the nodes: `/dev/nvidiactl`. */
  readonly path: string;
  readonly major: number;
  readonly minor: number;
  readonly rules: DeviceFileRules;
}

/** Which nodes are asked about. */
export interface DriverNodesInput {
  readonly host: HostView;
  /** Modules that are there, or are going to be. */
  readonly modules: readonly KernelModule[];
  readonly imexChannels: readonly number[];
}

/** The one number that is registered for NVIDIA. @see Documentation/admin-guide/devices.txt in the Linux source */
const MAJOR = 195;

const IMEX_DRIVER = "nvidia-caps-imex-channels";

const numberUnknown = (path: string, driver: string): Finding =>
  finding("device-number-unknown", "info", "host", { path, driver });

const PARAMS = "/proc/driver/nvidia/params";

/** Nodes of the driver as a whole. A name stands for the number that the kernel gave to the driver of that name. */
const CONTROL_NODES: readonly (readonly [
  module: KernelModule,
  path: string,
  major: number | string,
  minor: number,
])[] = [
  ["nvidia", "/dev/nvidiactl", MAJOR, 255],
  ["nvidia-uvm", "/dev/nvidia-uvm", "nvidia-uvm", 0],
  ["nvidia-uvm", "/dev/nvidia-uvm-tools", "nvidia-uvm", 1],
  ["nvidia-modeset", "/dev/nvidia-modeset", MAJOR, 254],
];

/**
 * Lists the device nodes that the host should have: of the driver as a whole, of every GPU, of every GPU instance, and
 * of the given IMEX channels.
 *
 * @returns findings for nodes whose numbers the kernel does not tell.
 */
export function driverNodes({ host, modules, imexChannels }: DriverNodesInput): {
  readonly nodes: readonly DriverNode[];
  readonly findings: readonly Finding[];
} {
  const majors = parseCharMajors(readText(host, "/proc/devices") ?? "");
  const rules = parseDeviceFileRules(readText(host, PARAMS) ?? "");
  const nodes: DriverNode[] = [];
  const findings: Finding[] = [];
  const add = (path: string, number: number | string, minor: number, own = rules): void => {
    const major = typeof number === "number" ? number : majors.get(number);
    if (major !== undefined) nodes.push({ path, major, minor, rules: own });
    else findings.push(numberUnknown(path, `${number}`));
  };

  for (const [module, path, major, minor] of CONTROL_NODES) {
    if (modules.includes(module)) add(path, major, minor);
  }
  if (!modules.includes("nvidia")) return { nodes, findings };
  for (const minor of gpuMinors(host)) add(`/dev/nvidia${minor}`, MAJOR, minor);
  for (const file of capabilityFiles(host)) {
    const own = parseDeviceFileRules(readText(host, file) ?? "");
    const { minor } = own;
    if (minor !== undefined && minor < 1 << 20)
      add(`/dev/nvidia-caps/nvidia-cap${minor}`, "nvidia-caps", minor, own);
  }
  for (const channel of imexChannels) {
    const path = `/dev/nvidia-caps-imex-channels/channel${channel}`;
    if (channel < rules.imexChannelCount) add(path, IMEX_DRIVER, channel);
    else findings.push(numberUnknown(path, IMEX_DRIVER));
  }
  return { nodes, findings };
}

/** The driver numbers its GPUs from 0; one that was plugged in later can have a number beyond their count. */
function gpuMinors(host: HostView): readonly number[] {
  const minors = new Set(Array.from({ length: countGpus(host) }, (_, minor) => minor));
  for (const { minor } of discoverGpus(host).gpus) minors.add(minor);
  return [...minors].filter((minor) => minor < 254).sort((a, b) => a - b);
}
