import type { MountSpec } from "../manifest/mount-spec.ts";
import type { ContainerEdits } from "../model/container-edits.ts";
import type { Finding } from "../model/finding.ts";
import type { HostView } from "../model/host-view.ts";
import { below, type HostPath, hostPath } from "../model/paths.ts";
import type { ContainerFacts } from "./container-facts.ts";
import { isDebianLike, type Triplet } from "./debian-layout.ts";
import { L4T_RELEASE_FILE } from "./detect-platform.ts";
import { emitEdits } from "./emit-edits.ts";
import { type LayeredTree, layeredTree } from "./layered-tree.ts";
import { type Located, locateEntries } from "./locate-entries.ts";
import { placePaths } from "./place-paths.ts";

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
  readonly container: Pick<ContainerFacts, "debianLike" | "hasMultiarchDirectory">;
  readonly triplet: Triplet;
  /** Container paths of the device nodes that config.json has already. */
  readonly givenDevices: ReadonlySet<string>;
}

const ROOT = hostPath("/");

/** @see https://github.com/OE4T/meta-tegra recipe tegra-container-passthrough */
const PASS_THROUGH: readonly HostPath[] = [hostPath("/usr/share/nvidia-container-passthrough")];

/**
 * Finds what the entries of manifests name on the host, and `/etc/nv_tegra_release` besides.
 *
 * The order of each list of edits is the order of the entries; no container path comes twice. The source of every
 * entry is the source of at least one edit or finding.
 */
export function discoverManifestEntries(input: ManifestEntriesInput): {
  readonly edits: ContainerEdits;
  readonly findings: readonly Finding[];
} {
  const { host, specs, driverRoot = ROOT, alternateRoots = PASS_THROUGH, triplet } = input;
  const presentRoots = alternateRoots.filter((root) => host.lstat(root) !== undefined);
  const files = layeredTree(host, [...presentRoots, driverRoot]);
  const devices = layeredTree(host, [deviceRoot(host, driverRoot)]);
  const found = locateEntries(devices, files, specs);
  const located = [...found.located, ...releaseFile(host, specs)];
  const placement = placePaths(located, { flatRoot: flatRoot(input, driverRoot), triplet });
  const emitted = emitEdits(located, placement, input.givenDevices);
  return { edits: emitted.edits, findings: [...found.findings, ...emitted.findings] };
}

/** A driver in a root of its own brings its device nodes only when it has a /dev. */
const deviceRoot = (host: HostView, driverRoot: HostPath): HostPath =>
  driverRoot === "/" || host.lstat(below(driverRoot, "/dev")) !== undefined ? driverRoot : ROOT;

/** The driver root when its libraries must move for the container to find them. */
function flatRoot(
  { host, container, triplet }: ManifestEntriesInput,
  driverRoot: HostPath,
): string | undefined {
  if (!container.debianLike && !container.hasMultiarchDirectory) return undefined;
  const exists = (path: string): boolean => host.lstat(below(driverRoot, path)) !== undefined;
  return isDebianLike(exists, triplet) ? undefined : driverRoot;
}

/** The release of L4T, which programs in the container ask for and no manifest lists. */
function releaseFile(host: HostView, specs: readonly MountSpec[]): readonly Located[] {
  if (specs.some(({ path }) => path === L4T_RELEASE_FILE)) return [];
  const tree: LayeredTree = layeredTree(host, [ROOT]);
  const entry: MountSpec = { type: "lib", path: L4T_RELEASE_FILE, source: "nv_tegra_release" };
  return locateEntries(tree, tree, [entry]).located;
}
