import { below, type HostPath, hostPath } from "../model/paths.ts";
import { type HostView, readText } from "../model/views.ts";

/** Where the kernel's driver describes itself. @see "procfs interface" in the README of NVIDIA's driver */
export const PROC_DRIVER: HostPath = hostPath("/proc/driver/nvidia");

/** Only a running driver has it. */
export const VERSION_FILE: HostPath = below(PROC_DRIVER, "/version");

/** The driver's parameters, among them those of its device files. */
export const PARAMS_FILE: HostPath = below(PROC_DRIVER, "/params");

const MODULE_VERSION_FILE = hostPath("/sys/module/nvidia/version");

const VERSION = /^\d{1,5}(?:\.\d{1,5}){1,3}$/;

/**
 * The version in the first line of /proc/driver/nvidia/version, `NVRM version: NVIDIA UNIX x86_64 Kernel Module
 * 535.86.05 Fri Jul 14 …`. The open modules put their machine after the words `Kernel Module`.
 */
export function parseDriverVersion(text: string): string | undefined {
  const line = text.split("\n").find((candidate) => candidate.startsWith("NVRM version:")) ?? "";
  return line.split(/\s+/).find((word) => VERSION.test(word));
}

/** The version of the kernel modules that are loaded; `undefined` when none are. */
export function readDriverVersion(host: HostView): string | undefined {
  const version = parseDriverVersion(readText(host, VERSION_FILE) ?? "");
  if (version !== undefined) return version;
  const module = (readText(host, MODULE_VERSION_FILE) ?? "").trim();
  return VERSION.test(module) ? module : undefined;
}

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
