import type { DriverCapability } from "../model/driver-capability.ts";
import { below, type HostPath, hostPath } from "../model/paths.ts";
import type { HostView } from "../model/views.ts";
import type { KernelModule } from "./driver-version.ts";

/**
 * The only major number that is registered for NVIDIA.
 *
 * @see Documentation/admin-guide/devices.txt in the Linux source
 */
export const NVIDIA_MAJOR = 195;

/** A node of the driver as a whole. */
interface ControlNode {
  readonly path: string;
  /** The module that provides the device. */
  readonly module: KernelModule;
  /** A number, or the name that /proc/devices lists with the number. */
  readonly major: number | string;
  readonly minor: number;
  /** The capability of the containers that get it; absent: all of them. */
  readonly capability?: DriverCapability;
}

/** The nodes of the driver as a whole. The first one of each module shows whether the module's nodes exist. */
export const CONTROL_NODES: readonly ControlNode[] = [
  { path: "/dev/nvidiactl", module: "nvidia", major: NVIDIA_MAJOR, minor: 255 },
  { path: "/dev/nvidia-uvm", module: "nvidia-uvm", major: "nvidia-uvm", minor: 0, capability: "compute" },
  {
    path: "/dev/nvidia-uvm-tools",
    module: "nvidia-uvm",
    major: "nvidia-uvm",
    minor: 1,
    capability: "compute",
  },
  {
    path: "/dev/nvidia-modeset",
    module: "nvidia-modeset",
    major: NVIDIA_MAJOR,
    minor: 254,
    capability: "graphics",
  },
];

/** Returns the control nodes of containers with these driver capabilities. */
export const controlNodesFor = (capabilities: ReadonlySet<DriverCapability>): readonly ControlNode[] =>
  CONTROL_NODES.filter(({ capability }) => capability === undefined || capabilities.has(capability));

/** Returns the path of a GPU's node. */
export const gpuNode = (minor: number): string => `/dev/nvidia${minor}`;

/** Returns the path of the node of a GPU instance, a compute instance, or their management. */
export const capabilityNode = (minor: number): string => `/dev/nvidia-caps/nvidia-cap${minor}`;

/** Returns the path of the node of an IMEX channel, over which GPUs of several hosts share memory. */
export const imexNode = (channel: number): string => `/dev/nvidia-caps-imex-channels/channel${channel}`;

/** Returns the root whose /dev has the driver's nodes: the driver container's if it has them, else the host's. */
export const driverNodeRoot = (host: HostView, driverRoot: HostPath): HostPath =>
  host.lstat(below(driverRoot, "/dev/nvidiactl")) === undefined ? hostPath("/") : driverRoot;

/** Parses the major numbers of character devices in /proc/devices, by name. @see proc_devices(5) */
export function parseCharMajors(text: string): ReadonlyMap<string, number> {
  const majors = new Map<string, number>();
  const [, characters = ""] = text.split(/^Character devices:$/m);
  const [own = ""] = characters.split(/^Block devices:$/m);
  for (const line of own.split("\n")) {
    const [, major, name] = /^ *(\d{1,4}) (\S+)$/.exec(line) ?? [];
    if (name !== undefined && Number(major) < 1 << 12) majors.set(name, Number(major));
  }
  return majors;
}
