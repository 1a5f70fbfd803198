import type { DeviceNode } from "../model/container-edits.ts";
import { finding, type Report } from "../model/finding.ts";
import { below } from "../model/paths.ts";
import type { HostView } from "../model/views.ts";
import { S_IFCHR } from "../sys/constants.ts";
import { CWD, type Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";
import { DEV_CHAR, linkText, type NodePlan, type SetupAction } from "./plan-nodes.ts";

/**
 * Makes device nodes. After a failure, it skips the rest of that node's plan and continues with the next node. Another
 * process may do the same at the same time, so existing names are accepted.
 *
 * @returns the actions that changed something.
 */
export function makeNodes(
  system: Syscalls,
  plans: readonly NodePlan[],
  report: Report,
): readonly SetupAction[] {
  const done: SetupAction[] = [];
  // Each node is created with its final mode, so no other process can open it too early.
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

/** Performs an action. @returns whether it changed something. */
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
        // Later runs would accept a node with the wrong group.
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
 * Small because it is at the border of a part: the wrapper's part contains this file, but not the rest of the folder.
 */

/**
 * Makes the links in /dev/char that udev(7) has not made, for a container in a systemd unit. runc passes a device to
 * systemd only if such a link exists, and systemd revokes access to other devices when it is reloaded. udev does not
 * know all nodes of NVIDIA's driver. Existing links are kept, whatever their target.
 *
 * Reports a finding for a link that cannot be made: without it, the container works until systemd is reloaded.
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
