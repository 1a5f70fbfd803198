import { type Finding, finding } from "../model/finding.ts";
import type { FileStat, HostView } from "../model/host-view.ts";
import { below, dirname, type HostPath, hostPath, join } from "../model/paths.ts";
import type { DriverNode } from "./driver-nodes.ts";
import type { NodePlan, SetupAction } from "./setup-action.ts";

/** Where systemd looks devices up by their numbers; without it a daemon-reload takes them from containers. */
export const DEV_CHAR: HostPath = hostPath("/dev/char");

/** What is to be reached. */
export interface NodesWanted {
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
 * @returns a plan for each node that needs anything, and a finding for each that the administrator wants no program
 * to make.
 */
export function planNodes(
  host: HostView,
  { root, nodes, devChar }: NodesWanted,
): { readonly plans: readonly NodePlan[]; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const made = new Set<HostPath>();
  const directory = (path: HostPath): readonly SetupAction[] => {
    if (made.has(path) || host.lstat(path) !== undefined) return [];
    made.add(path);
    return [{ do: "make-directory", path }];
  };

  const plans = nodes.flatMap((node): NodePlan[] => {
    const path = below(root, node.path);
    const { major, minor } = node;
    const { modify, mode, uid, gid } = node.rules;
    const actions: SetupAction[] = [];
    const found = statThrough(host, path);
    if (!isNode(found, node)) {
      if (!modify) {
        findings.push(finding("device-node-unmanaged", "info", "host", { path }));
        return [];
      }
      actions.push(...directory(dirname(path)));
      if (host.lstat(path) !== undefined) actions.push({ do: "remove", path });
      actions.push({ do: "make-node", path, major, minor, mode, uid, gid });
    }
    if (devChar) actions.push(...linkTo(host, path, node, directory));
    return actions.length === 0 ? [] : [{ path, actions }];
  });
  return { plans, findings };
}

const isNode = (stat: FileStat | undefined, { major, minor }: DriverNode): boolean =>
  stat?.type === "character-device" && stat.major === major && stat.minor === minor;

function statThrough(host: HostView, path: HostPath): FileStat | undefined {
  const stat = host.lstat(path);
  if (stat?.type !== "symlink") return stat;
  const real = host.realPath(path);
  return real && host.lstat(real);
}

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
