import type { DeviceNode } from "../model/container-edits.ts";
import type { Report } from "../model/finding.ts";
import type { HostView } from "../model/host-view.ts";
import { below } from "../model/paths.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { makeNodes } from "./make-nodes.ts";
import { DEV_CHAR, linkText, type SetupAction } from "./plan-nodes.ts";

/*
 * Small because it is a bundle's border: the wrapper links nodes, and sets up nothing else of the host here.
 */

/**
 * Makes the links by number that udev(7) has not made, for a container in a unit of systemd. runc tells systemd of no
 * device without such a link, and systemd takes the device away when it is reloaded. NVIDIA's driver has nodes that
 * udev knows nothing of. A link that is there stays, wherever it leads.
 *
 * One that cannot be made is a finding: the container works without the links, until systemd is reloaded.
 */
export function linkByNumber(
  system: Syscalls,
  host: HostView,
  nodes: readonly DeviceNode[],
  report: Report,
): void {
  const links = nodes
    .filter(({ type }) => type === "c")
    .map((node) => ({ node, path: below(DEV_CHAR, `/${node.major}:${node.minor}`) }));
  const missing = links.filter(({ path }) => host.lstat(path) === undefined);
  if (missing.length === 0) return;
  const directory: SetupAction[] =
    host.lstat(DEV_CHAR) === undefined ? [{ do: "make-directory", path: DEV_CHAR }] : [];
  const plans = missing.map(({ node, path }, index) => {
    const link: SetupAction = { do: "make-link", path, target: linkText(node.hostPath) };
    return { path, actions: index === 0 ? [...directory, link] : [link] };
  });
  makeNodes(system, plans, report);
}
