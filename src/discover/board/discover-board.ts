import { DEFAULT_CONFIG } from "../../config/config.ts";
import { loadBundle } from "../../load.ts";
import type { MountSpec } from "../../manifest/parse-manifest.ts";
import { readManifests } from "../../manifest/read-manifests.ts";
import { chooseSelection } from "../../manifest/select-manifests.ts";
import { type ContainerEdits, joinEdits, NO_EDITS } from "../../model/container-edits.ts";
import { NvociError } from "../../model/errors.ts";
import type { Report } from "../../model/finding.ts";
import type { Triplet } from "../../model/machine.ts";
import { below, type ContainerPath, type HostPath, hostPath } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";
import type { Request } from "../../request/request.ts";
import { quote } from "../../text/quote.ts";
import { compatDirectory } from "../compat-directory.ts";
import { detectPlatform, L4T_RELEASE_FILE } from "../detect-platform.ts";
import type { DeviceInput, DiscoverInput } from "../discover-input.ts";
import { isDebianLike, looksInMultiarch } from "../library-places.ts";
import { emitEdits } from "./emit-edits.ts";
import { type LayeredTree, layeredTree } from "./layered-tree.ts";
import { type Located, locateEntries } from "./locate-entries.ts";
import { placePaths } from "./place-paths.ts";

/** Finds everything that a container gets by manifests, which list files and devices one by one. */
export function discoverBoard(input: DiscoverInput, report: Report): ContainerEdits {
  const isMultiarch = (): boolean => looksInMultiarch(input.image, input.machine);
  const edits = discoverEntries(input, readSpecs(input, report), isMultiarch, report);
  return { ...edits, compatFolder: compatFolder(input, edits) };
}

/** Returns the image's directory of CUDA libraries if the container should prefer them to the host's. */
function compatFolder(
  { host, image, config }: DiscoverInput,
  { mounts }: ContainerEdits,
): ContainerPath | undefined {
  const directory = compatDirectory(host, config);
  if (directory === undefined || image.type(directory) !== "directory") return undefined;
  const { boardPrefersCompat } = loadBundle<typeof import("../compat/board-compat.ts")>("compat");
  const { release } = detectPlatform(host);
  return boardPrefersCompat({ host, image, release, mounts }, directory) ? directory : undefined;
}

/**
 * Finds only the device nodes.
 *
 * @throws {NvociError} "device-unknown" when the request names any GPU but "0".
 */
export const discoverBoardDevices = (input: DeviceInput, report: Report): ContainerEdits =>
  discoverEntries(
    input,
    readSpecs(input, report).filter(({ type }) => type === "dev"),
    () => false,
    report,
  );

function readSpecs({ host, config, request }: DeviceInput, report: Report): readonly MountSpec[] {
  refuseOtherGpus(request);
  const { release } = detectPlatform(host);
  const selection = chooseSelection(request.csvMounts, config.nvoci.csvMounts, release);
  return readManifests(host, config.nvidiaContainerRuntime.modes.csv.mountSpecPath, selection, report);
}

/** Refuses any GPU but the board's only one. */
function refuseOtherGpus({ visibleDevices, source }: Request): void {
  if (visibleDevices.kind !== "list") return;
  const other = visibleDevices.ids.find((id) => id !== "0");
  if (other === undefined) return;
  throw new NvociError(
    "device-unknown",
    `Cannot use GPU ${quote(other)} (${source}): this board has only GPU "0"`,
    { hint: "set NVIDIA_VISIBLE_DEVICES=all or 0" },
  );
}

function discoverEntries(
  { host, machine, config, request }: DeviceInput,
  specs: readonly MountSpec[],
  isMultiarch: () => boolean,
  report: Report,
): ContainerEdits {
  const found = discoverManifestEntries(
    {
      host,
      specs,
      driverRoot: config.nvidiaContainerCli.root,
      alternateRoots: config.nvoci.alternateRoots,
      triplet: machine.triplet,
      isMultiarch,
    },
    report,
  );
  return request.visibleDevices.kind === "none" ? { ...found, deviceNodes: [] } : found;
}

/** Everything that determines what a container gets by manifests. */
export interface ManifestEntriesInput {
  readonly host: HostView;
  readonly specs: readonly MountSpec[];
  /** Root of the driver's files. Default `/`. */
  readonly driverRoot?: HostPath;
  /**
   * Trees that are searched before the driver root for everything but devices. They contain libraries in Debian's
   * layout. Default: the pass-through tree of meta-tegra.
   */
  readonly alternateRoots?: readonly HostPath[];
  readonly triplet: Triplet;
  /** Reports whether the image looks for libraries in the triplet's directory. */
  readonly isMultiarch: () => boolean;
}

const ROOT = hostPath("/");

/** @see https://github.com/OE4T/meta-tegra recipe tegra-container-passthrough */
const PASS_THROUGH = DEFAULT_CONFIG.nvoci.alternateRoots;

/**
 * Finds the host's files and devices that the entries of manifests name, and `/etc/nv_tegra_release`.
 *
 * Each list of edits keeps the order of the entries and contains each container path once. The source of every
 * entry is the source of at least one edit or finding.
 */
export function discoverManifestEntries(input: ManifestEntriesInput, report: Report): ContainerEdits {
  const { host, specs, driverRoot = ROOT, alternateRoots = PASS_THROUGH, triplet } = input;
  const presentRoots = alternateRoots.filter((root) => host.lstat(root) !== undefined);
  const files = layeredTree(host, [...presentRoots, driverRoot]);
  const devices = layeredTree(host, [rootOfDevices(host, driverRoot)]);
  const located = [...locateEntries(devices, files, specs, report), ...releaseFile(host, specs)];
  const placement = placePaths(located, { flatRoot: flatRoot(input, driverRoot), triplet });
  return joinEdits([NO_EDITS, emitEdits(located, placement, report)]);
}

/** Returns the root of the device nodes: the driver root if it has a /dev, else the host's. */
const rootOfDevices = (host: HostView, driverRoot: HostPath): HostPath =>
  driverRoot === "/" || host.lstat(below(driverRoot, "/dev")) !== undefined ? driverRoot : ROOT;

/** Returns the driver root if its libraries must move for the container to find them. */
function flatRoot(
  { host, isMultiarch, triplet }: ManifestEntriesInput,
  driverRoot: HostPath,
): string | undefined {
  if (!isMultiarch()) return undefined;
  const exists = (path: string): boolean => host.lstat(below(driverRoot, path)) !== undefined;
  return isDebianLike(exists, triplet) ? undefined : driverRoot;
}

/** Locates the release file of L4T, which programs in the container read and no manifest lists. */
function releaseFile(host: HostView, specs: readonly MountSpec[]): readonly Located[] {
  if (specs.some(({ path }) => path === L4T_RELEASE_FILE)) return [];
  const tree: LayeredTree = layeredTree(host, [ROOT]);
  const entry: MountSpec = { type: "lib", path: L4T_RELEASE_FILE, source: "nv_tegra_release" };
  return locateEntries(tree, tree, [entry], () => {});
}
