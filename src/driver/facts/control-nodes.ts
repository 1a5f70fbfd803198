import type { DriverCapability } from "../../model/driver-capability.ts";

/**
 * The driver's kernel modules, each after those that it needs.
 *
 * @see "Installed Components" in the README of NVIDIA's driver
 * @checked 2026-11-21
 */
export const KERNEL_MODULES = ["nvidia", "nvidia-uvm", "nvidia-modeset"] as const;

export type KernelModule = (typeof KERNEL_MODULES)[number];

/**
 * The only major number that is registered for NVIDIA.
 *
 * @see Documentation/admin-guide/devices.txt in the Linux source
 * @checked 2026-11-21
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

/**
 * The nodes of the driver as a whole. The first one of each module shows whether the module's nodes exist.
 *
 * @see nvidia-modprobe-utils/ of NVIDIA/nvidia-modprobe; src/nvc_info.c of libnvidia-container 1.19
 * @checked 2026-11-21
 */
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
