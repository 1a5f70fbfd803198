import { DEFAULT_CONFIG } from "../../config/config.ts";
import type { MountSpec } from "../../manifest/parse-manifest.ts";
import { readManifests } from "../../manifest/read-manifests.ts";
import { chooseSelection } from "../../manifest/select-manifests.ts";
import { type ContainerEdits, joinEdits, NO_EDITS } from "../../model/container-edits.ts";
import { NvociError } from "../../model/errors.ts";
import type { Report } from "../../model/finding.ts";
import type { Triplet } from "../../model/machine.ts";
import { below, type HostPath, hostPath } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";
import type { Request } from "../../request/request.ts";
import { quote } from "../../text/quote.ts";
import { detectPlatform, L4T_RELEASE_FILE } from "../detect-platform.ts";
import type { DeviceInput, DiscoverInput } from "../discover-input.ts";
import { isDebianLike, looksInMultiarch } from "../library-places.ts";
import { emitEdits } from "./emit-edits.ts";
import { type LayeredTree, layeredTree } from "./layered-tree.ts";
import { type Located, locateEntries } from "./locate-entries.ts";
import { placePaths } from "./place-paths.ts";

/** Finds what a container gets by manifests, which name files and devices one by one. */
export const discoverBoard = (input: DiscoverInput, report: Report): ContainerEdits =>
  discoverEntries(
    input,
    readSpecs(input, report),
    () => looksInMultiarch(input.image, input.machine),
    report,
  );

/** Finds the device nodes alone. */
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

/** A board has one GPU, and all of it is the container's. */
function refuseOtherGpus({ visibleDevices, source }: Request): void {
  if (visibleDevices.kind !== "list") return;
  const other = visibleDevices.ids.find((id) => id !== "0");
  if (other === undefined) return;
  throw new NvociError(
    "device-unknown",
    `Cannot use the GPU ${quote(other)} that ${source} names: this board only has GPU "0"`,
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

/** Everything that decides what a container gets because of manifests. */
export interface ManifestEntriesInput {
  readonly host: HostView;
  readonly specs: readonly MountSpec[];
  /** Where the driver's files are. Default `/`. */
  readonly driverRoot?: HostPath;
  /**
   * Trees that come before the driver root for everything but devices. They hold libraries in Debian's layout.
   * Default: the pass-through tree of meta-tegra.
   */
  readonly alternateRoots?: readonly HostPath[];
  readonly triplet: Triplet;
  /** Whether the image looks for libraries in the triplet's directory. */
  readonly isMultiarch: () => boolean;
}

const ROOT = hostPath("/");

/** @see https://github.com/OE4T/meta-tegra recipe tegra-container-passthrough */
const PASS_THROUGH = DEFAULT_CONFIG.nvoci.alternateRoots;

/**
 * Finds what the entries of manifests name on the host, and `/etc/nv_tegra_release` besides.
 *
 * The order of each list of edits is the order of the entries; no container path comes twice. The source of every
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

/** A driver in a root of its own brings its device nodes only when it has a /dev. */
const rootOfDevices = (host: HostView, driverRoot: HostPath): HostPath =>
  driverRoot === "/" || host.lstat(below(driverRoot, "/dev")) !== undefined ? driverRoot : ROOT;

/** The driver root when its libraries must move for the container to find them. */
function flatRoot(
  { host, isMultiarch, triplet }: ManifestEntriesInput,
  driverRoot: HostPath,
): string | undefined {
  if (!isMultiarch()) return undefined;
  const exists = (path: string): boolean => host.lstat(below(driverRoot, path)) !== undefined;
  return isDebianLike(exists, triplet) ? undefined : driverRoot;
}

/** The release of L4T, which programs in the container ask for and no manifest lists. */
function releaseFile(host: HostView, specs: readonly MountSpec[]): readonly Located[] {
  if (specs.some(({ path }) => path === L4T_RELEASE_FILE)) return [];
  const tree: LayeredTree = layeredTree(host, [ROOT]);
  const entry: MountSpec = { type: "lib", path: L4T_RELEASE_FILE, source: "nv_tegra_release" };
  return locateEntries(tree, tree, [entry], () => {});
}
