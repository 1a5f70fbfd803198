import type { Config } from "../config/config.ts";
import { chooseSelection } from "../manifest/choose-selection.ts";
import { readManifests } from "../manifest/read-manifests.ts";
import type { ContainerEdits, GeneratedDirectory } from "../model/container-edits.ts";
import { NvociError } from "../model/errors.ts";
import type { Finding } from "../model/finding.ts";
import type { HostView } from "../model/host-view.ts";
import type { ContainerPath } from "../model/paths.ts";
import { quote } from "../model/quote.ts";
import type { Request } from "../request/request.ts";
import type { ServerFeature } from "../request/server-features.ts";
import type { ContainerFacts } from "./container-facts.ts";
import type { Triplet } from "./debian-layout.ts";
import { detectPlatform, type Platform } from "./detect-platform.ts";
import {
  boardNodes,
  discreteIds,
  integratedDisplay,
  isIntegrated,
  wantsIntegrated,
} from "./integrated-gpu.ts";
import { discoverManifestEntries } from "./manifest-entries.ts";
import { discoverGpus, type Gpu } from "./server/gpus.ts";

/** Everything that decides what a container gets of this host's driver. */
export interface DriverInput {
  readonly host: HostView;
  readonly triplet: Triplet;
  readonly config: Config;
  readonly request: Request;
  readonly features: readonly ServerFeature[];
  readonly container: ContainerFacts;
  /** Container paths of the device nodes that config.json has already. */
  readonly givenDevices: ReadonlySet<string>;
  /** Whether the entries of manifests that are files are left out. */
  readonly devicesOnly?: boolean;
}

/** What a container gets of this host's driver. */
export interface DriverDiscovery {
  readonly edits: ContainerEdits;
  readonly generated: readonly GeneratedDirectory[];
  /** Directory of the image that ldconfig is to look into before all others. */
  readonly compatFolder: ContainerPath | undefined;
  readonly findings: readonly Finding[];
}

/** Finds what a container gets by the host's `ld.so.cache`: `fromCache` of from-cache.ts. */
export type FromCache = (input: DriverInput, request: Request) => DriverDiscovery;

/**
 * Finds the driver's files and devices by the means of the platform: manifests on Tegra, `ld.so.cache` on servers,
 * and both on a board with a discrete GPU beside its integrated one. `mode` in the configuration overrides.
 *
 * @param fromCache most boards never need it, so it is not imported here.
 * @throws NvociError as `discoverServer` does, and "device-unknown" for a GPU that a Tegra board does not have.
 */
export function discoverDriver(input: DriverInput, fromCache: FromCache): DriverDiscovery {
  const { mode } = input.config.nvidiaContainerRuntime;
  const platform = detectPlatform(input.host);
  if (mode === "legacy" || (mode === "auto" && platform.kind === "server"))
    return fromCache(input, input.request);
  const discrete = mode === "csv" ? [] : discoverGpus(input.host).gpus.filter((gpu) => !isIntegrated(gpu));
  return discrete.length === 0
    ? fromManifests(input, platform)
    : fromBoth(input, platform, discrete, fromCache);
}

/** Manifests name files and devices one by one: a board has one GPU, and all of it is the container's. */
function fromManifests(input: DriverInput, platform: Platform): DriverDiscovery {
  const { host, triplet, config, request, container, givenDevices } = input;
  refuseOtherGpus(request);
  const release = platform.kind === "tegra" ? platform.release : undefined;
  const selection = chooseSelection(request.csvMounts, config.nvoci.csvMounts, release);
  const manifests = readManifests(host, config.nvidiaContainerRuntime.modes.csv.mountSpecPath, selection);
  const { specs } = manifests;
  const found = discoverManifestEntries({
    host,
    specs: input.devicesOnly ? specs.filter(({ type }) => type === "dev") : specs,
    driverRoot: config.nvidiaContainerCli.root,
    alternateRoots: config.nvoci.alternateRoots,
    container,
    triplet,
    givenDevices,
  });
  const deviceNodes = request.visibleDevices.kind === "none" ? [] : found.edits.deviceNodes;
  return {
    edits: { ...found.edits, deviceNodes },
    generated: [],
    compatFolder: undefined,
    findings: [...manifests.findings, ...found.findings],
  };
}

function refuseOtherGpus({ visibleDevices, source }: Request): void {
  if (visibleDevices.kind !== "list") return;
  const other = visibleDevices.ids.find((id) => id !== "0");
  if (other === undefined) return;
  throw new NvociError(
    "device-unknown",
    `Cannot use the GPU ${quote(other)} that ${source} names: this board has GPU "0" alone`,
    ["hint: set NVIDIA_VISIBLE_DEVICES=all or 0"],
  );
}

/**
 * A board with a card, as IGX Orin or Thor with an RTX. The integrated GPU is index 0 and its nodes come from the
 * manifests, the card is index 1 and comes from the cache; files come from both.
 */
function fromBoth(
  input: DriverInput,
  platform: Platform,
  discrete: readonly Gpu[],
  fromCache: FromCache,
): DriverDiscovery {
  const { host, request, givenDevices } = input;
  const { visibleDevices } = request;
  const integrated = discoverGpus(host).gpus.find(isIntegrated);
  const withIntegrated = wantsIntegrated(visibleDevices, integrated);
  const board = fromManifests(
    { ...input, request: { ...request, visibleDevices: { kind: "all" } } },
    platform,
  );
  const own = boardNodes(board.edits.deviceNodes, withIntegrated);
  const extra = withIntegrated ? integratedDisplay(host, own, givenDevices) : [];
  const deviceNodes = visibleDevices.kind === "none" ? [] : [...own, ...extra];

  const has = (path: string): boolean => givenDevices.has(path) || own.some((node) => node.path === path);
  // The driver shows it below /proc like any other where it is one driver for both.
  const shown = withIntegrated && integrated && has(`/dev/nvidia${integrated.minor}`) ? [integrated] : [];
  const ids = [...shown.map(({ busId }) => busId), ...discreteIds(visibleDevices, discrete, integrated)];
  const card = fromCache(input, {
    ...request,
    visibleDevices: ids.length === 0 ? { kind: "none" } : { kind: "list", ids },
  });
  return {
    edits: merge({ ...board.edits, deviceNodes }, card.edits),
    generated: card.generated,
    compatFolder: card.compatFolder,
    findings: [...board.findings, ...card.findings],
  };
}

/** Both edits, the first's where they name the same place. */
function merge(first: ContainerEdits, second: ContainerEdits): ContainerEdits {
  const taken = new Set<string>([
    ...first.deviceNodes.map(({ path }) => path),
    ...first.mounts.map(({ containerPath }) => containerPath),
    ...first.links.map(({ containerPath }) => containerPath),
  ]);
  return {
    deviceNodes: [...first.deviceNodes, ...second.deviceNodes.filter(({ path }) => !taken.has(path))],
    mounts: [...first.mounts, ...second.mounts.filter(({ containerPath }) => !taken.has(containerPath))],
    links: [...first.links, ...second.links.filter(({ containerPath }) => !taken.has(containerPath))],
  };
}
