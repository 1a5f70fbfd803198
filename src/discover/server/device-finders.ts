import { migManagementFile, readDeviceFileRules } from "../../driver/capabilities.ts";
import { capabilityNode, gpuNode, imexNode } from "../../driver/device-nodes.ts";
import { controlNodesFor } from "../../driver/facts/control-nodes.ts";
import type { DeviceNode, Link } from "../../model/container-edits.ts";
import { NvociError } from "../../model/errors.ts";
import type { Source } from "../../model/finding.ts";
import { containerPath, hostPath } from "../../model/paths.ts";
import { quote } from "../../text/quote.ts";
import { type Finder, findNode, type Server } from "./server.ts";

const isFound = (node: DeviceNode | undefined): node is DeviceNode => node !== undefined;

/** Finds the nodes of the driver as a whole. */
export const controlNodes: Finder<Server> = (server) => ({
  deviceNodes: controlNodesFor(server.capabilities)
    .map(({ path }) => findNode(server, path, "driver", "warning"))
    .filter(isFound),
});

/**
 * Finds the nodes of the chosen GPUs.
 *
 * @throws {NvociError} "device-unknown" when a GPU has no node: the container would start and not see it.
 */
export const gpuNodes: Finder<Server> = (server) => ({
  deviceNodes: server.gpus.map(({ index, minor }) => {
    const path = gpuNode(minor);
    const node = findNode(server, path, `GPU ${index}`);
    if (node !== undefined) return node;
    throw new NvociError(
      "device-unknown",
      `Cannot give GPU ${quote(`${index}`)} to the container: the host has no device node ${path}`,
      { hint: `run: nvidia-modprobe -c ${minor}; nvidia-persistenced keeps the node` },
    );
  }),
});

/** Returns what a container manages about GPU instances: their configuration, their counters, both or nothing. */
export const managesMig = ({ request }: Server): readonly ("config" | "monitor")[] => [
  ...(request.migConfigDevices === undefined ? [] : (["config"] as const)),
  ...(request.migMonitorDevices === undefined ? [] : (["monitor"] as const)),
];

/**
 * Finds the nodes of the chosen GPU instances; for a container that manages them, of all instances and management.
 */
export const migNodes: Finder<Server> = (server) => {
  const minors = new Map<number, Source>();
  const managed = managesMig(server);
  const add = (minor: number, source: Source): void => {
    if (!minors.has(minor)) minors.set(minor, source);
  };
  const addInstances = (devices: Server["migDevices"]): void => {
    for (const { gpu, index, capabilities } of devices) {
      for (const minor of capabilities) add(minor, `MIG ${gpu.index}:${index}`);
    }
  };
  addInstances(server.migDevices);
  for (const which of managed) {
    const { minor } = readDeviceFileRules(server.host, migManagementFile(which));
    if (minor !== undefined) add(minor, `MIG ${which}`);
  }
  if (managed.length > 0) addInstances(server.allMigDevices);
  return {
    deviceNodes: [...minors]
      .map(([minor, source]) => findNode(server, capabilityNode(minor), source, "warning"))
      .filter(isFound),
  };
};

/**
 * Finds the nodes of IMEX channels, over which GPUs of several hosts share memory.
 *
 * @throws {NvociError} "device-unknown" when the host does not have a channel.
 */
export const imexNodes: Finder<Server> = (server) => ({
  deviceNodes: server.request.imexChannels.map((channel) => {
    const path = imexNode(channel);
    const node = findNode(server, path, `IMEX channel ${channel}`);
    if (node !== undefined) return node;
    throw new NvociError(
      "device-unknown",
      `Cannot give IMEX channel ${quote(`${channel}`)} to the container: the host has no device node ${path}`,
    );
  }),
});

/** Finds the DRM nodes of GPUs, and the links by which programs find the node of a PCI address. */
export const drmNodes: Finder<Server> = (server) => {
  const deviceNodes: DeviceNode[] = [];
  const links: Link[] = [];
  if (!server.capabilities.has("graphics")) return {};
  for (const { index, busId } of server.gpus) {
    const names = server.host.readDirectory(hostPath(`/sys/bus/pci/devices/${busId}/drm`)) ?? [];
    for (const name of names.sort()) {
      const kind = /^(card|render)D?\d+$/.exec(name)?.[1];
      const source = `GPU ${index}`;
      const node = kind && findNode(server, `/dev/dri/${name}`, source);
      if (!node) continue;
      deviceNodes.push(node);
      const path = containerPath(`/dev/dri/by-path/pci-${busId}-${kind}`);
      links.push({ containerPath: path, target: `../${name}`, source });
    }
  }
  return { deviceNodes, links };
};
