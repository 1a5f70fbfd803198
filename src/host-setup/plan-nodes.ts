import { finding, type Report } from "../model/finding.ts";
import { below, dirname, type HostPath, hostPath, join } from "../model/paths.ts";
import { type FileStat, type HostView, statThrough } from "../model/views.ts";
import type { DriverNode } from "./driver-nodes.ts";

/** One change of the host itself, as opposed to a container. */
export type SetupAction =
  | { readonly do: "load-module"; readonly name: string }
  | { readonly do: "make-directory"; readonly path: HostPath }
  /** Removes what is in the way: a node with another number, a link that leads elsewhere. */
  | { readonly do: "remove"; readonly path: HostPath }
  | {
      readonly do: "make-node";
      readonly path: HostPath;
      readonly major: number;
      readonly minor: number;
      /** Permission bits. */
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | { readonly do: "make-link"; readonly path: HostPath; readonly target: string };

/** What has to be done for one device node. Nothing of it makes sense once a part of it has failed. */
export interface NodePlan {
  readonly path: HostPath;
  /** In the order in which they have to be made. */
  readonly actions: readonly SetupAction[];
}

/** Where systemd looks devices up by their numbers; without it a daemon-reload takes them from containers. */
export const DEV_CHAR: HostPath = hostPath("/dev/char");

/** What is to be reached. */
interface NodesWanted {
  /** Whose `dev` gets the nodes. */
  readonly root: HostPath;
  readonly nodes: readonly DriverNode[];
  /** Whether {@link DEV_CHAR} is to have a link to each. */
  readonly devChar: boolean;
}

/**
 * Plans what is missing of the wanted nodes. One with the right number is left alone, whatever its mode and owner:
 * somebody may have changed them. One that cannot be right is replaced.
 *
 * A node that the administrator wants no program to make is a finding.
 *
 * @returns a plan for each node that needs anything.
 */
export function planNodes(
  host: HostView,
  { root, nodes, devChar }: NodesWanted,
  report: Report,
): readonly NodePlan[] {
  const made = new Set<HostPath>();
  const directory = (path: HostPath): readonly SetupAction[] => {
    if (made.has(path) || host.lstat(path) !== undefined) return [];
    made.add(path);
    return [{ do: "make-directory", path }];
  };

  return nodes.flatMap((node): NodePlan[] => {
    const path = below(root, node.path);
    const { major, minor } = node;
    const { modify, mode, uid, gid } = node.rules;
    const actions: SetupAction[] = [];
    const found = statThrough(host, path);
    if (!isNode(found, node)) {
      if (!modify) {
        report(finding("device-node-unmanaged", "info", "host", { path }));
        return [];
      }
      actions.push(...directory(dirname(path)));
      if (host.lstat(path) !== undefined) actions.push({ do: "remove", path });
      actions.push({ do: "make-node", path, major, minor, mode, uid, gid });
    }
    if (devChar) actions.push(...linkTo(host, path, node, directory));
    return actions.length === 0 ? [] : [{ path, actions }];
  });
}

const isNode = (stat: FileStat | undefined, { major, minor }: DriverNode): boolean =>
  stat?.type === "character-device" && stat.major === major && stat.minor === minor;

function linkTo(
  host: HostView,
  path: HostPath,
  { major, minor }: DriverNode,
  directory: (inside: HostPath) => readonly SetupAction[],
): readonly SetupAction[] {
  const link = below(DEV_CHAR, `/${major}:${minor}`);
  const text = host.readLink(link);
  if (text !== undefined && join(DEV_CHAR, text) === path) return [];
  const make: SetupAction = { do: "make-link", path: link, target: linkText(path) };
  if (text !== undefined) return [{ do: "remove", path: link }, make];
  // What is no link was put there by somebody who knows why.
  return host.lstat(link) === undefined ? [...directory(DEV_CHAR), make] : [];
}

/** The text of a link in {@link DEV_CHAR}: relative, as udev(7) writes it, where both lie in the same /dev. */
export const linkText = (path: HostPath): string =>
  path.startsWith("/dev/") ? `..${path.slice("/dev".length)}` : path;
