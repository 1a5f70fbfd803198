import { driverNodeRoot, imexNode } from "../../driver/device-nodes.ts";
import { type ContainerEdits, joinEdits } from "../../model/container-edits.ts";
import type { Report } from "../../model/finding.ts";
import type { DeviceInput } from "../discover-input.ts";
import { driverRoot } from "./driver-root.ts";
import { features } from "./optional-files.ts";
import { type FeatureHost, findNode } from "./server.ts";

/*
 * Small because few boards have any of this. It belongs to the server's part, whose finders it uses.
 */

/**
 * Finds the nodes and files of features, and IMEX channels, on a board. Missing ones are reported, because the
 * environment of an image is the same for servers and boards.
 */
export function boardFeatures({ host, config, request }: DeviceInput, report: Report): ContainerEdits {
  const { root } = config.nvidiaContainerCli;
  const board: FeatureHost = {
    host,
    request,
    report,
    root: driverRoot(host, root),
    nodeRoot: driverNodeRoot(host, root),
  };
  const channels = request.imexChannels.flatMap(
    (channel) => findNode(board, imexNode(channel), `IMEX channel ${channel}`, "warning") ?? [],
  );
  return joinEdits([features(board), { deviceNodes: channels }]);
}
