import type { HostView } from "../../model/host-view.ts";
import { hostPath } from "../../model/paths.ts";
import type { DeviceCollector } from "./device-nodes.ts";
import { readText } from "./driver-version.ts";
import type { Gpu } from "./gpus.ts";

/** A part of a GPU that works like a GPU of its own. */
export interface MigDevice {
  readonly gpu: Gpu;
  /** Place among the instances of its GPU, by the numbers of GPU instance and compute instance. */
  readonly index: number;
  readonly gpuInstance: number;
  readonly computeInstance: number;
  /** Numbers of `/dev/nvidia-caps/nvidia-cap<minor>`: the GPU instance's and the compute instance's. */
  readonly capabilities: readonly number[];
}

const DIRECTORY = "/proc/driver/nvidia/capabilities";

/** The node that stands for a capability. */
const capabilityNode = (minor: number): string => `/dev/nvidia-caps/nvidia-cap${minor}`;

/**
 * Reads which GPU instances there are. Hosts without MIG have none.
 *
 * @see https://docs.nvidia.com/datacenter/tesla/mig-user-guide/, "MIG Device Nodes"
 */
export function discoverMigDevices(host: HostView, gpus: readonly Gpu[]): readonly MigDevice[] {
  if (host.lstat(hostPath(DIRECTORY)) === undefined) return [];
  const devices: MigDevice[] = [];
  for (const gpu of gpus) {
    const place = `${DIRECTORY}/gpu${gpu.minor}/mig`;
    let index = 0;
    for (const gpuInstance of numbered(host, place, "gi")) {
      const gpuInstancePlace = `${place}/gi${gpuInstance}`;
      for (const computeInstance of numbered(host, gpuInstancePlace, "ci")) {
        const files = [`${gpuInstancePlace}/access`, `${gpuInstancePlace}/ci${computeInstance}/access`];
        const capabilities = files
          .map((file) => readMinor(host, file))
          .filter((minor) => minor !== undefined);
        devices.push({ gpu, index: index++, gpuInstance, computeInstance, capabilities });
      }
    }
  }
  return devices;
}

/**
 * Adds the nodes that open the chosen GPU instances.
 */
export function addMigNodes(devices: DeviceCollector, migDevices: readonly MigDevice[]): void {
  for (const { gpu, index, capabilities } of migDevices) {
    for (const minor of capabilities)
      devices.add(capabilityNode(minor), `MIG ${gpu.index}:${index}`, "warning");
  }
}

/**
 * Adds the nodes with which a container manages GPU instances, and every instance that there is.
 *
 * @param which the files of {@link DIRECTORY}`/mig` that were asked for.
 */
export function addMigManagement(
  host: HostView,
  devices: DeviceCollector,
  migDevices: readonly MigDevice[],
  which: readonly ("config" | "monitor")[],
): void {
  if (which.length === 0) return;
  for (const name of which) {
    const minor = readMinor(host, `${DIRECTORY}/mig/${name}`);
    if (minor !== undefined) devices.add(capabilityNode(minor), `MIG ${name}`, "warning");
  }
  addMigNodes(devices, migDevices);
}

/** The numbers n of the entries `<prefix>n`, in their order. */
function numbered(host: HostView, directory: string, prefix: string): number[] {
  return (host.readDirectory(hostPath(directory)) ?? [])
    .filter((name) => name.startsWith(prefix) && /^\d{1,3}$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => a - b);
}

function readMinor(host: HostView, file: string): number | undefined {
  const match = /^DeviceFileMinor:\s*(\d{1,6})\s*$/m.exec(readText(host, file) ?? "");
  return match === null ? undefined : Number(match[1]);
}
