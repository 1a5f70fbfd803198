import type { DeviceNode } from "../../model/container-edits.ts";
import type { DriverCapability } from "../../model/driver-capability.ts";
import { NvociError } from "../../model/errors.ts";
import { type Finding, finding, type Source } from "../../model/finding.ts";
import type { FileStat, HostView } from "../../model/host-view.ts";
import { below, containerPath, type HostPath, hostPath } from "../../model/paths.ts";
import type { Gpu } from "./gpus.ts";

/** Collects device nodes of the host for one container. */
export interface DeviceCollector {
  /** Adds the node at `path`; says so where there is none. Gives whether the container has it now. */
  add(path: string, source: Source, severity?: "info" | "warning"): boolean;
  /** Names in a directory of the host's `/dev`, sorted; empty when it is not there. */
  list(directory: string): readonly string[];
  readonly nodes: readonly DeviceNode[];
  readonly findings: readonly Finding[];
}

/**
 * Makes an empty collection.
 *
 * @param root the directory whose `dev` has the nodes.
 * @param givenDevices container paths that config.json has nodes at; these are left out with a finding.
 */
export function collectDevices(
  host: HostView,
  root: HostPath,
  givenDevices: ReadonlySet<string>,
): DeviceCollector {
  const nodes: DeviceNode[] = [];
  const findings: Finding[] = [];
  const seen = new Set<string>();

  const add = (path: string, source: Source, severity: "info" | "warning" = "info"): boolean => {
    if (seen.has(path)) return true;
    const file = below(root, path);
    const stat = host.lstat(file);
    if (stat === undefined) {
      findings.push(finding("entry-missing", severity, source, { type: "dev", path }));
      return false;
    }
    const node = deviceNode(path, file, stat, source);
    if (node === undefined) {
      findings.push(finding("entry-wrong-type", "warning", source, { type: "dev", path, found: stat.type }));
      return false;
    }
    seen.add(path);
    if (givenDevices.has(path)) findings.push(finding("device-already-given", "info", source, { path }));
    else nodes.push(node);
    return true;
  };
  const list = (directory: string): readonly string[] =>
    (host.readDirectory(below(root, directory)) ?? []).sort();
  return { add, list, nodes, findings };
}

function deviceNode(path: string, file: HostPath, stat: FileStat, source: Source): DeviceNode | undefined {
  if (stat.type !== "character-device") return undefined;
  const { major, minor, mode: fileMode, uid, gid } = stat;
  const place = { path: containerPath(path), hostPath: file };
  return { ...place, type: "c", major, minor, fileMode, permissions: "rw", uid, gid, source };
}

/** Nodes of the driver as a whole; those without a capability are for every container. */
const CONTROL_NODES: readonly (readonly [path: string, capability?: DriverCapability])[] = [
  ["/dev/nvidiactl"],
  ["/dev/nvidia-uvm", "compute"],
  ["/dev/nvidia-uvm-tools", "compute"],
  ["/dev/nvidia-modeset", "graphics"],
];

/** Adds the nodes of the driver as a whole. */
export function addControlNodes(devices: DeviceCollector, capabilities: ReadonlySet<DriverCapability>): void {
  for (const [path, capability] of CONTROL_NODES) {
    if (capability === undefined || capabilities.has(capability)) devices.add(path, "driver", "warning");
  }
}

/**
 * Adds the nodes of the chosen GPUs.
 *
 * @throws {NvociError} `device-unknown` for a GPU without a node: the container would start and not see it.
 */
export function addGpuNodes(devices: DeviceCollector, gpus: readonly Gpu[]): void {
  for (const gpu of gpus) {
    const path = `/dev/nvidia${gpu.minor}`;
    if (devices.add(path, `GPU ${gpu.index}`)) continue;
    throw new NvociError(
      "device-unknown",
      `Cannot give GPU "${gpu.index}" to the container: the host has no device node ${path}`,
      [`nvidia-modprobe -c ${gpu.minor} makes the node; nvidia-persistenced keeps it`],
    );
  }
}

/**
 * Adds the nodes of IMEX channels, over which GPUs of several hosts share memory.
 *
 * @throws {NvociError} `device-unknown` for a channel that the host does not have.
 */
export function addImexNodes(devices: DeviceCollector, channels: readonly number[]): void {
  for (const channel of channels) {
    const path = `/dev/nvidia-caps-imex-channels/channel${channel}`;
    if (devices.add(path, `IMEX channel ${channel}`)) continue;
    throw new NvociError(
      "device-unknown",
      `Cannot give IMEX channel "${channel}" to the container: the host has no device node ${path}`,
    );
  }
}

const NVIDIACTL = "/dev/nvidiactl";

/** The root whose `dev` has the driver's nodes: that of a driver container where it has them, else the host's. */
export function deviceRoot(host: HostView, driverRoot: HostPath): HostPath {
  return host.lstat(below(driverRoot, NVIDIACTL)) === undefined ? hostPath("/") : driverRoot;
}
