import type { HostView } from "../model/host-view.ts";
import { type HostPath, hostPath } from "../model/paths.ts";

/** The driver's kernel modules, each after those it needs. */
export const KERNEL_MODULES = ["nvidia", "nvidia-uvm", "nvidia-modeset"] as const;

export type KernelModule = (typeof KERNEL_MODULES)[number];

/** Where the kernel shows a module: its names have no dashes there. */
const moduleDirectory = (name: KernelModule): string => `/sys/module/${name.replaceAll("-", "_")}`;

/** Whether modprobe(8) has nothing to do. A module that is built into the kernel has no state, so it counts as absent. */
export const isLoaded = (host: HostView, name: KernelModule): boolean =>
  host.lstat(hostPath(`${moduleDirectory(name)}/initstate`)) !== undefined;

/** Whether the kernel has it at all, loaded or built in. */
export const isPresent = (host: HostView, name: KernelModule): boolean =>
  host.lstat(hostPath(moduleDirectory(name))) !== undefined;

/** What only a driver that runs has. */
export const DRIVER_VERSION_FILE: HostPath = hostPath("/proc/driver/nvidia/version");
