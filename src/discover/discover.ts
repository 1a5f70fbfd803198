import { loadBundle } from "../load.ts";
import { type ContainerEdits, type DeviceNode, joinEdits, type Link } from "../model/container-edits.ts";
import { finding, type Report } from "../model/finding.ts";
import { boardWithCard, discreteGpus } from "./board/board-with-card.ts";
import { discoverBoard, discoverBoardDevices } from "./board/discover-board.ts";
import { chooseLdconfig } from "./choose-ldconfig.ts";
import { usesManifests } from "./detect-platform.ts";
import type { DeviceInput, DiscoverInput, Finders } from "./discover-input.ts";
import { extraDirectories, libraryFolders } from "./library-folders.ts";
import { muslPathFile } from "./library-places.ts";
import { sonameLinks } from "./soname-links.ts";

/** A separate part: boards without a discrete GPU do not load it. */
const serverBundle = () => loadBundle<typeof import("./server/discover-server.ts")>("server");

const EVERYTHING: Finders<DiscoverInput> = {
  board: discoverBoard,
  server: (input, report) => serverBundle().discoverServer(input, report),
};

const DEVICES: Finders<DeviceInput> = {
  board: discoverBoardDevices,
  server: (input, report) => serverBundle().discoverServerDevices(input, report),
};

/**
 * Finds everything that a container gets: the driver's files and devices, the directories of config.toml, and the
 * ldconfig that updates its library cache. Only reads.
 *
 * @throws {NvociError} as `discoverServer` does.
 * @throws {NvociError} "device-unknown" when a Tegra board does not have a requested GPU.
 */
export function discover(input: DiscoverInput, report: Report): ContainerEdits {
  const { host, image, config } = input;
  const driver = discoverDriver(input, EVERYTHING, report);
  const found = joinEdits([driver, { mounts: extraDirectories(host, config.nvoci.directories, report) }]);
  const ldconfig = chooseLdconfig(host, image, config, report);
  const links = ldconfig === undefined && config.nvoci.ldconfig ? linksOfLibraries(input, found, report) : [];
  return {
    ...found,
    links: [...found.links, ...links],
    libraryFolders: libraryFolders(host, found.mounts),
    ldconfig,
    muslPathFile: config.nvoci.ldconfig ? muslPathFile(image, input.machine) : undefined,
  };
}

/**
 * Finds only the device nodes, for a config.json. Does not read the image: it determines where libraries go, and
 * devices do not depend on it.
 *
 * @throws {NvociError} as {@link discover} does.
 */
export const discoverDevices = (input: DeviceInput, report: Report): readonly DeviceNode[] =>
  discoverDriver(input, DEVICES, report).deviceNodes;

/**
 * Finds the driver in the platform's way: by manifests on Tegra, by `ld.so.cache` on servers, and by both on a
 * board that also has a discrete GPU. `mode` in the configuration overrides the platform.
 */
function discoverDriver<I extends DeviceInput>(input: I, find: Finders<I>, report: Report): ContainerEdits {
  const edits = usesManifests(input.host, input.config)
    ? onBoard(input, find, report)
    : find.server(input, report);
  return { ...edits, deviceNodes: withoutGiven(edits.deviceNodes, input, report) };
}

function onBoard<I extends DeviceInput>(input: I, find: Finders<I>, report: Report): ContainerEdits {
  const cards = discreteGpus(input);
  return cards.length === 0 ? find.board(input, report) : boardWithCard(input, cards, find, report);
}

/** Leaves out the nodes that the runtime makes because config.json lists them. */
const withoutGiven = (
  nodes: readonly DeviceNode[],
  { givenDevices }: DeviceInput,
  report: Report,
): readonly DeviceNode[] =>
  nodes.filter(({ path, source }) => {
    if (!givenDevices.has(path)) return true;
    report(finding("device-already-given", "info", source, { path }));
    return false;
  });

/** Finds the links that ldconfig would make if one could run. Loads the part that reads SONAMEs. */
function linksOfLibraries({ host }: DiscoverInput, edits: ContainerEdits, report: Report): readonly Link[] {
  const { readSoname } = loadBundle<typeof import("../elf/read-soname.ts")>("soname");
  const links = sonameLinks(edits, ({ hostPath }) => readSoname(host, hostPath));
  if (links.length > 0) {
    report(finding("ldconfig-none", "warning", "nvidia-container-cli.ldconfig", { links: links.length }));
  }
  return links;
}
