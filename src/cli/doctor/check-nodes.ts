import { type Check, check } from "../../model/check.ts";
import { NvociError } from "../../model/errors.ts";
import type { HostPath } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";
import type { OperationOf } from "../../plan/operation.ts";
import { renderOperation } from "../../render/render-plan.ts";
import type { HostFacts } from "./host-facts.ts";

const OPEN_TO_OTHERS = 0o006;

const isClosed = (mode: number): boolean => (mode & OPEN_TO_OTHERS) !== OPEN_TO_OTHERS;

/** Checks that users other than root, or those of a group, can open a node that no container can do without. */
export function checkMode(host: HostView, path: HostPath): readonly Check[] {
  const stat = host.lstat(path);
  if (stat === undefined || stat.gid !== 0 || !isClosed(stat.mode)) return [];
  return [check("warn", "node-closed", { path, mode: stat.mode })];
}

/** Reports which device nodes containers get, and the groups whose users may open those that are not for everyone. */
export function checkDevices({ host, decision }: HostFacts): readonly Check[] {
  if (decision instanceof NvociError) return [];
  const { operations, findings } = decision;
  const nodes = operations.filter((operation) => operation.op === "bind-device");
  if (nodes.length === 0) return [];
  const missing = findings.filter(
    ({ code, args }) => code === "entry-missing" && "type" in args && args.type === "dev",
  );
  const groups = groupsOf(
    host,
    nodes.filter(({ fileMode }) => isClosed(fileMode)),
  );
  const count = nodes.filter((node) => isClosed(node.fileMode) && groupOf(host, node) !== 0).length;
  return [
    check("ok", "devices", { nodes: nodes.map(renderOperation), missing: missing.length }),
    ...(count === 0 ? [] : [check("ok", "devices-closed", { count, groups })]),
  ];
}

const groupOf = (host: HostView, node: OperationOf<"bind-device">): number =>
  host.lstat(node.hostPath)?.gid ?? 0;

/** Returns the group ids of the host's nodes, ascending. The container's nodes have the same. Root's says nothing. */
function groupsOf(host: HostView, nodes: readonly OperationOf<"bind-device">[]): readonly number[] {
  const groups = new Set(nodes.map((node) => groupOf(host, node)));
  groups.delete(0);
  return [...groups].sort((a, b) => a - b);
}
