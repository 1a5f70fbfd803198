import type { DeviceNode } from "../model/container-edits.ts";
import { finding, type Report } from "../model/finding.ts";
import { below } from "../model/paths.ts";
import type { HostView } from "../model/views.ts";
import { S_IFCHR } from "../sys/constants.ts";
import { CWD, type Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";
import { DEV_CHAR, linkText, type NodePlan, type SetupAction } from "./plan-nodes.ts";

/**
 * Makes device nodes. When something fails, the rest of that node's plan is left out and the next node's is made.
 * Another process may be doing the same: what is there by now is right.
 *
 * @returns what was done.
 */
export function makeNodes(
  system: Syscalls,
  plans: readonly NodePlan[],
  report: Report,
): readonly SetupAction[] {
  const done: SetupAction[] = [];
  // A node has its mode from the start: nobody can open it before a chmod(2) that never comes.
  const mask = system.umask(0);
  for (const { path, actions } of plans) {
    try {
      for (const action of actions) if (make(system, action)) done.push(action);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      report(finding("device-node-not-made", "warning", "host", { path, reason: error.call }));
    }
  }
  system.umask(mask);
  return done;
}

/** @returns whether anything was changed. */
function make(system: Syscalls, action: SetupAction): boolean {
  switch (action.do) {
    case "make-directory":
      return system.mkdirat(CWD, action.path, 0o755);
    case "remove":
      system.unlinkat(CWD, action.path, 0);
      return true;
    case "make-node": {
      const { path, mode, uid, gid } = action;
      if (!system.mknodat(CWD, path, S_IFCHR | mode, action)) return false;
      try {
        if (uid !== 0 || gid !== 0) system.fchownat(CWD, path, uid, gid, 0);
      } catch (error) {
        // A node of the wrong group would count as made from now on.
        system.unlinkat(CWD, path, 0);
        throw error;
      }
      return true;
    }
    case "make-link":
      return system.symlinkat(action.target, CWD, action.path);
    case "load-module":
      return false;
  }
}

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
