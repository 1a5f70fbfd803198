import { gpuNode } from "../../driver/device-nodes.ts";
import { type Gpu, readGpus } from "../../driver/gpus.ts";
import { type ContainerEdits, type DeviceNode, deviceNode, joinEdits } from "../../model/container-edits.ts";
import type { Report } from "../../model/finding.ts";
import { containerPath, hostPath } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";
import type { VisibleDevices } from "../../request/request.ts";
import type { DeviceInput, Finders } from "../discover-input.ts";
import { isIntegrated, isNamed, LATER } from "./board-gpu.ts";

/** Returns the discrete GPUs of a board; none with `mode = "csv"`, which relies on the manifests alone. */
export const discreteGpus = ({ host, config }: DeviceInput): readonly Gpu[] =>
  config.nvidiaContainerRuntime.mode === "csv"
    ? []
    : readGpus(host, LATER).filter((gpu) => !isIntegrated(gpu));

/**
 * Finds the driver of a board with a card, such as IGX Orin or Thor with an RTX. The integrated GPU has index 0,
 * and its nodes come from the manifests. The card has index 1 and comes from the library cache. Files come from
 * both.
 */
export function boardWithCard<I extends DeviceInput>(
  input: I,
  cards: readonly Gpu[],
  find: Finders<I>,
  report: Report,
): ContainerEdits {
  const { host, request } = input;
  const { visibleDevices } = request;
  const integrated = readGpus(host, LATER).find(isIntegrated);
  const withIntegrated = wantsIntegrated(visibleDevices, integrated);
  // The requirements are checked once, with the driver of the card.
  const ofBoard = { ...request, visibleDevices: { kind: "all" }, requirements: [] } as const;
  const board = find.board({ ...input, request: ofBoard }, report);
  const own = boardNodes(board.deviceNodes, withIntegrated);
  const extra = withIntegrated ? integratedDisplay(host, own) : [];

  // A driver that serves both GPUs lists the integrated one below /proc like any other.
  const has = (path: string): boolean => own.some((node) => node.path === path);
  const shown = withIntegrated && integrated && has(gpuNode(integrated.minor)) ? [integrated] : [];
  const ids = [...shown.map(({ busId }) => busId), ...discreteIds(visibleDevices, cards, integrated)];
  const ofCard: VisibleDevices = ids.length === 0 ? { kind: "none" } : { kind: "list", ids };
  const card = find.server({ ...input, request: { ...request, visibleDevices: ofCard } }, report);
  const deviceNodes = visibleDevices.kind === "none" ? [] : [...own, ...extra];
  return merge({ ...board, deviceNodes }, card);
}

/** Joins two edits; the first wins where both name the same container path. */
export function merge(first: ContainerEdits, second: ContainerEdits): ContainerEdits {
  const taken = new Set<string>([
    ...first.deviceNodes.map(({ path }) => path),
    ...first.mounts.map(({ containerPath: path }) => path),
    ...first.links.map(({ containerPath: path }) => path),
  ]);
  const isFree = ({ containerPath: path }: { readonly containerPath: string }): boolean => !taken.has(path);
  return joinEdits([
    first,
    {
      ...second,
      deviceNodes: second.deviceNodes.filter(({ path }) => !taken.has(path)),
      mounts: second.mounts.filter(isFree),
      links: second.links.filter(isFree),
    },
  ]);
}

/** Nodes of manifests that the discrete driver provides on a board with a card. */
const DISCRETE_NODE = /^\/dev\/nvidia(?:\d+|ctl|-modeset|-uvm|-uvm-tools)$/;
/** The integrated GPU's nodes on a board with a card. The card has number 1. */
const INTEGRATED_NUMBERS = ["/dev/nvidia0", "/dev/nvidia2"] as const;

/** Leaves out the card's nodes, and the integrated GPU's unless it is requested. */
const boardNodes = (nodes: readonly DeviceNode[], withIntegrated: boolean): DeviceNode[] =>
  nodes.filter(({ path }) =>
    DISCRETE_NODE.test(path) ? withIntegrated && INTEGRATED_NUMBERS.some((node) => node === path) : true,
  );

/** Reports whether the visible devices include the integrated GPU, which is the board's first. */
const wantsIntegrated = (visible: VisibleDevices, integrated: Gpu | undefined): boolean =>
  visible.kind === "all" || (visible.kind === "list" && visible.ids.some((id) => isNamed(id, integrated)));

/** Returns the requested cards by PCI address, because indexes also count the integrated GPU. */
function discreteIds(
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

/** Finds the second node of Thor's integrated GPU, for its displays. No manifest lists it. */
function integratedDisplay(host: HostView, nodes: readonly DeviceNode[]): DeviceNode[] {
  const [gpu, display] = INTEGRATED_NUMBERS;
  const first = nodes.find(({ path }) => path === gpu);
  if (first === undefined || nodes.some(({ path }) => path === display)) return [];
  const stat = host.lstat(hostPath(display));
  if (stat?.type !== "character-device") return [];
  return [deviceNode(containerPath(display), hostPath(display), stat, first.source)];
}
