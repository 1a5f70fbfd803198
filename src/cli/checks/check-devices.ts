import type { HostView } from "../../model/host-view.ts";
import type { Operation, OperationOf } from "../../plan/operation.ts";
import { type Check, check } from "../../render/check.ts";
import { renderOperation } from "../../render/render-operation.ts";

const OPEN_TO_OTHERS = 0o006;

/** Tells which device nodes containers get, and whether users who are not root may open them. */
export function checkDevices(host: HostView, operations: readonly Operation[]): Check[] {
  const nodes = operations.filter((operation) => operation.op === "bind-device");
  if (nodes.length === 0) return [check("fail", "devices-none", {})];
  const closed = nodes.filter(({ fileMode }) => (fileMode & OPEN_TO_OTHERS) !== OPEN_TO_OTHERS);
  const given = check("ok", "devices", { nodes: nodes.map(renderOperation) });
  if (closed.length === 0) return [given];
  return [given, check("ok", "devices-closed", { count: closed.length, groups: groupsOf(host, closed) })];
}

/** Group ids of the nodes, ascending. The container's nodes have them too. */
function groupsOf(host: HostView, nodes: readonly OperationOf<"bind-device">[]): number[] {
  const groups = new Set(nodes.map(({ hostPath }) => host.lstat(hostPath)?.gid ?? 0));
  return [...groups].sort((a, b) => a - b);
}
