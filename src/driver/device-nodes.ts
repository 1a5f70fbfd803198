import { below, type HostPath, hostPath } from "../model/paths.ts";
import type { HostView } from "../model/views.ts";

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
