import { loadBundle } from "../load.ts";
import { type ContainerEdits, type DeviceNode, joinEdits, type Link } from "../model/container-edits.ts";
import { finding, type Report } from "../model/finding.ts";
import { boardWithCard, discreteGpus } from "./board/board-with-card.ts";
import { discoverBoard, discoverBoardDevices } from "./board/discover-board.ts";
import { chooseLdconfig } from "./choose-ldconfig.ts";
import { usesManifests } from "./detect-platform.ts";
import type { DeviceInput, DiscoverInput, Finders } from "./discover-input.ts";
import { extraDirectories, libraryFolders } from "./library-folders.ts";
import { sonameLinks } from "./soname-links.ts";

/** A bundle of its own: a board with manifests alone does not read it. */
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
 * Finds everything that a container gets: the driver's files and devices, directories of config.toml, and how its
 * library cache is updated. Reads only.
 *
 * @throws NvociError as `discoverServer` does, and "device-unknown" for a GPU that a Tegra board does not have.
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
  };
}

/**
 * Finds the device nodes alone, for a config.json. The image is not looked at: it decides where libraries go, and
 * devices are the same for all.
 *
 * @throws NvociError as {@link discover} does.
 */
export const discoverDevices = (input: DeviceInput, report: Report): readonly DeviceNode[] =>
  discoverDriver(input, DEVICES, report).deviceNodes;

/**
 * Finds the driver by the means of the platform: manifests on Tegra, `ld.so.cache` on servers, and both on a board
 * with a discrete GPU beside its integrated one. `mode` in the configuration overrides.
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

/** Leaves out the nodes that the runtime makes by itself. */
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

/** The links that ldconfig would make, where no ldconfig may be run. ELF files are read by a bundle of its own. */
function linksOfLibraries({ host }: DiscoverInput, edits: ContainerEdits, report: Report): readonly Link[] {
  const { readSoname } = loadBundle<typeof import("../elf/read-soname.ts")>("soname");
  const links = sonameLinks(edits, ({ hostPath }) => readSoname(host, hostPath));
  if (links.length > 0) {
    report(finding("ldconfig-none", "warning", "nvidia-container-cli.ldconfig", { links: links.length }));
  }
  return links;
}
