import { below, type HostPath } from "../model/paths.ts";
import { type HostView, readText } from "../model/views.ts";
import { PROC_DRIVER } from "./driver-version.ts";
import type { Gpu } from "./gpus.ts";

/** The driver's directory of the capabilities that have their own nodes: GPU instances and their management. */
export const CAPABILITIES: HostPath = below(PROC_DRIVER, "/capabilities");

/** The deepest file is `gpu0/mig/gi1/ci0/access`. */
const MAX_DEPTH = 5;

/** Lists the files below {@link CAPABILITIES}. Each one names the device file of its capability. */
export function capabilityFiles(host: HostView): readonly HostPath[] {
  const files: HostPath[] = [];
  const visit = (directory: HostPath, depth: number): void => {
    for (const name of (host.readDirectory(directory) ?? []).sort()) {
      const path = below(directory, `/${name}`);
      const type = host.lstat(path)?.type;
      if (type === "file") files.push(path);
      else if (type === "directory" && depth < MAX_DEPTH) visit(path, depth + 1);
    }
  };
  visit(CAPABILITIES, 1);
  return files;
}

/** Owner and mode of the driver's device files, as the administrator has configured them. */
export interface DeviceFileRules {
  /** Whether programs may make and remove device files. */
  readonly modify: boolean;
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
  /** Minor number of the capability's device file; `undefined` in the parameters of the whole driver. */
  readonly minor: number | undefined;
  /** Number of IMEX channels; only the parameters of the whole driver contain it. */
  readonly imexChannelCount: number;
}

/** The driver's default number of IMEX channels. */
const IMEX_CHANNELS = 2048;

/** One line of either file. All values are decimal, including the mode. */
const FIELD = /^([A-Za-z]+):\s*(\d{1,10})$/;

/**
 * Parses `/proc/driver/nvidia/params`, or the file of one capability. Defaults are the driver's: owned by root,
 * mode 0666.
 *
 * @see "How can I set the permissions of the NVIDIA device files?" in the README of NVIDIA's driver
 */
export function parseDeviceFileRules(text: string): DeviceFileRules {
  const fields = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, value] = FIELD.exec(line.trim()) ?? [];
    if (name !== undefined) fields.set(name, Number(value));
  }
  return {
    modify: (fields.get("ModifyDeviceFiles") ?? fields.get("DeviceFileModify")) !== 0,
    uid: fields.get("DeviceFileUID") ?? 0,
    gid: fields.get("DeviceFileGID") ?? 0,
    mode: (fields.get("DeviceFileMode") ?? 0o666) & 0o777,
    minor: fields.get("DeviceFileMinor"),
    imexChannelCount: fields.get("ImexChannelCount") ?? IMEX_CHANNELS,
  };
}

/** Reads the rules in a file below {@link CAPABILITIES}. The rules of a missing file have no `minor`. */
export const readDeviceFileRules = (host: HostView, file: HostPath): DeviceFileRules =>
  parseDeviceFileRules(readText(host, file) ?? "");

/** A part of a GPU that works like a separate GPU. */
export interface MigDevice {
  readonly gpu: Gpu;
  /** Position among the instances of its GPU, ordered by GPU instance and compute instance. */
  readonly index: number;
  readonly gpuInstance: number;
  readonly computeInstance: number;
  /** Files below {@link CAPABILITIES}: the GPU instance's and the compute instance's. */
  readonly files: readonly HostPath[];
  /** Minor numbers of their nodes. */
  readonly capabilities: readonly number[];
}

/**
 * Lists the GPU instances of the host. Hosts without MIG have none.
 *
 * @see https://docs.nvidia.com/datacenter/tesla/mig-user-guide/, "MIG Device Nodes"
 */
export function readMigDevices(host: HostView, gpus: readonly Gpu[]): readonly MigDevice[] {
  if (host.lstat(CAPABILITIES) === undefined) return [];
  const devices: MigDevice[] = [];
  for (const gpu of gpus) {
    const place = below(CAPABILITIES, `/gpu${gpu.minor}/mig`);
    let index = 0;
    for (const gpuInstance of numbered(host, place, "gi")) {
      const instance = below(place, `/gi${gpuInstance}`);
      for (const computeInstance of numbered(host, instance, "ci")) {
        const files = [below(instance, "/access"), below(instance, `/ci${computeInstance}/access`)];
        const capabilities = files
          .map((file) => readDeviceFileRules(host, file).minor)
          .filter((minor) => minor !== undefined);
        devices.push({ gpu, index: index++, gpuInstance, computeInstance, files, capabilities });
      }
    }
  }
  return devices;
}

/** Returns the capability file for configuring or for monitoring GPU instances. */
export const migManagementFile = (which: "config" | "monitor"): HostPath =>
  below(CAPABILITIES, `/mig/${which}`);

/** Returns the numbers n of the entries `<prefix>n`, sorted. */
function numbered(host: HostView, directory: HostPath, prefix: string): number[] {
  return (host.readDirectory(directory) ?? [])
    .filter((name) => name.startsWith(prefix) && /^\d{1,3}$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => a - b);
}
