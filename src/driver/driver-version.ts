import { below, type HostPath, hostPath } from "../model/paths.ts";
import { type HostView, readText } from "../model/views.ts";
import type { KernelModule } from "./facts/control-nodes.ts";

/**
 * The directory in which the kernel's driver describes itself.
 *
 * @see "procfs interface" in the README of NVIDIA's driver
 */
export const PROC_DRIVER: HostPath = hostPath("/proc/driver/nvidia");

/** Exists only while the driver is loaded. */
export const VERSION_FILE: HostPath = below(PROC_DRIVER, "/version");

/** The driver's parameters, including those of its device files. */
export const PARAMS_FILE: HostPath = below(PROC_DRIVER, "/params");

const MODULE_VERSION_FILE = hostPath("/sys/module/nvidia/version");

const VERSION = /^\d{1,5}(?:\.\d{1,5}){1,3}$/;

/**
 * Finds the version in the first line of /proc/driver/nvidia/version,
 * `NVRM version: NVIDIA UNIX x86_64 Kernel Module 535.86.05 Fri Jul 14 …`. The open modules put their machine
 * after `Kernel Module`.
 */
export function parseDriverVersion(text: string): string | undefined {
  const line = text.split("\n").find((candidate) => candidate.startsWith("NVRM version:")) ?? "";
  return line.split(/\s+/).find((word) => VERSION.test(word));
}

/** Reads the version of the loaded kernel modules; `undefined` when none are loaded. */
export function readDriverVersion(host: HostView): string | undefined {
  const version = parseDriverVersion(readText(host, VERSION_FILE) ?? "");
  if (version !== undefined) return version;
  const module = (readText(host, MODULE_VERSION_FILE) ?? "").trim();
  return VERSION.test(module) ? module : undefined;
}

/** Returns the sysfs directory of a module, where the kernel replaces dashes by underscores. */
const moduleDirectory = (name: KernelModule): string => `/sys/module/${name.replaceAll("-", "_")}`;

/**
 * Reports whether a module is loaded. A module that is built into the kernel has no state and counts as absent.
 */
export const isLoaded = (host: HostView, name: KernelModule): boolean =>
  host.lstat(hostPath(`${moduleDirectory(name)}/initstate`)) !== undefined;

/** Reports whether the kernel has a module, loaded or built in. */
export const isPresent = (host: HostView, name: KernelModule): boolean =>
  host.lstat(hostPath(moduleDirectory(name))) !== undefined;
