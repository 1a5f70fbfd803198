import type { DeviceNode } from "../model/container-edits.ts";
import type { HostView } from "../model/host-view.ts";
import { type ContainerPath, hostPath } from "../model/paths.ts";
import type { VisibleDevices } from "../request/request.ts";
import type { Gpu } from "./server/gpus.ts";
import { isSamePlace, parsePciAddress } from "./server/pci-address.ts";

/** An integrated GPU, by the names that the driver gives to those of Orin and Thor. */
export const isIntegrated = ({ model }: Gpu): boolean => model.includes("(nvgpu)") || model.includes("Thor");

/** Nodes of manifests that are the discrete driver's business where there is a discrete GPU. */
const DISCRETE_NODE = /^\/dev\/nvidia(?:\d+|ctl|-modeset|-uvm|-uvm-tools)$/;
/** The integrated GPU's nodes on a board with a card: the card has number 1. */
const INTEGRATED_NUMBERS = ["/dev/nvidia0", "/dev/nvidia2"];

/** The manifests' nodes on a board with a card: nothing of the card's, and of the integrated GPU what was asked for. */
export const boardNodes = (nodes: readonly DeviceNode[], withIntegrated: boolean): DeviceNode[] =>
  nodes.filter(({ path }) =>
    DISCRETE_NODE.test(path) ? withIntegrated && INTEGRATED_NUMBERS.includes(path) : true,
  );

/** Whether a list of devices names the integrated GPU, which is the board's first. */
export const wantsIntegrated = (visible: VisibleDevices, integrated: Gpu | undefined): boolean =>
  visible.kind === "all" || (visible.kind === "list" && visible.ids.some((id) => isNamed(id, integrated)));

function isNamed(id: string, integrated: Gpu | undefined): boolean {
  if (id === "0") return true;
  if (integrated === undefined) return false;
  if (id.toLowerCase() === integrated.uuid?.toLowerCase()) return true;
  const address = parsePciAddress(id);
  return address !== undefined && isSamePlace(address, integrated.address);
}

/** The cards among the devices that were asked for, by PCI address: the index counts the integrated GPU too. */
export function discreteIds(
  visible: VisibleDevices,
  discrete: readonly Gpu[],
  integrated: Gpu | undefined,
): readonly string[] {
  if (visible.kind === "none") return [];
  if (visible.kind === "all") return discrete.map(({ busId }) => busId);
  return visible.ids
    .filter((id) => !isNamed(id, integrated))
    .map((id) => (/^\d+$/.test(id) ? (discrete[Number(id) - 1]?.busId ?? id) : id));
}

/** Thor's integrated GPU has a second node, for its displays, which no manifest lists. */
export function integratedDisplay(
  host: HostView,
  nodes: readonly DeviceNode[],
  given: ReadonlySet<string>,
): DeviceNode[] {
  const [first] = nodes.filter((node) => node.path === INTEGRATED_NUMBERS[0]);
  const path = INTEGRATED_NUMBERS[1] as ContainerPath;
  if (first === undefined || given.has(path) || nodes.some((node) => node.path === path)) return [];
  const stat = host.lstat(hostPath(path));
  if (stat?.type !== "character-device") return [];
  const { major, minor, mode: fileMode, uid, gid } = stat;
  return [{ ...first, path, hostPath: hostPath(path), major, minor, fileMode, uid, gid }];
}
