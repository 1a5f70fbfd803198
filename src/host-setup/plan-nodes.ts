import { finding, type Report } from "../model/finding.ts";
import { below, dirname, type HostPath, hostPath, join } from "../model/paths.ts";
import { type FileStat, type HostView, statThrough } from "../model/views.ts";
import type { DriverNode } from "./driver-nodes.ts";

/** A change to the host itself, as opposed to a container. */
export type SetupAction =
  | { readonly do: "load-module"; readonly name: string }
  | { readonly do: "make-directory"; readonly path: HostPath }
  /** Removes an obstacle: a node with another number, or a link with another target. */
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

/** The actions for one device node. When one fails, the rest is skipped. */
export interface NodePlan {
  readonly path: HostPath;
  /** In order. */
  readonly actions: readonly SetupAction[];
}

/** Where systemd looks up devices by number. A daemon-reload revokes devices without a link here from containers. */
export const DEV_CHAR: HostPath = hostPath("/dev/char");

/** The nodes that the host should have. */
interface NodesWanted {
  /** The root whose `dev` gets the nodes. */
  readonly root: HostPath;
  readonly nodes: readonly DriverNode[];
  /** Whether {@link DEV_CHAR} gets a link to each node. */
  readonly devChar: boolean;
}

/**
 * Plans the nodes that are missing or wrong. A node with the right number is kept, whatever its mode and owner, which
 * an administrator may have changed. Any other file in its place is replaced.
 *
 * Reports a finding for each missing node that the driver's settings forbid to make (ModifyDeviceFiles).
 *
 * @returns a plan for each node that needs a change.
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
  // Leave anything that is not a symlink alone.
  return host.lstat(link) === undefined ? [...directory(DEV_CHAR), make] : [];
}

/** Returns the text of a link in {@link DEV_CHAR}. It is relative, as udev(7) writes it, for paths in /dev. */
export const linkText = (path: HostPath): string =>
  path.startsWith("/dev/") ? `..${path.slice("/dev".length)}` : path;
