import type { Operation, OperationOf } from "../plan/operation.ts";
import { alignColumns } from "./align-columns.ts";
import { showPath } from "./show-path.ts";

/** What a path in a container is, for `nvoci list --type`; devices come first in lists. */
export const LIST_TYPES = ["device", "directory", "file", "socket", "link"] as const;
export type ListType = (typeof LIST_TYPES)[number];

type Shown = OperationOf<
  "bind-device" | "bind-directory" | "bind-file" | "bind-socket" | "make-link" | "cover-directory"
>;

const TYPE_OF: Partial<Record<Operation["op"], ListType>> = {
  "bind-device": "device",
  "bind-directory": "directory",
  "cover-directory": "directory",
  "bind-file": "file",
  "bind-socket": "socket",
  "make-link": "link",
};

/**
 * The paths that a plan brings into a container, one a line, in the order of {@link LIST_TYPES}.
 *
 * @param long adds columns: what it is, where it is on the host (or where the link leads), who asked for it.
 */
export function renderList(
  operations: readonly Operation[],
  types: readonly ListType[],
  long: boolean,
): string[] {
  const shown = LIST_TYPES.filter((type) => types.includes(type)).flatMap((type) =>
    operations.filter((operation): operation is Shown => TYPE_OF[operation.op] === type),
  );
  if (!long) return shown.map(({ path }) => showPath(path));
  return alignColumns(
    shown.map((operation) => [
      TYPE_OF[operation.op] ?? "",
      showPath(operation.path),
      origin(operation),
      operation.source,
    ]),
  );
}

function origin(operation: Shown): string {
  if (operation.op === "make-link") return `-> ${showPath(operation.target)}`;
  return operation.op === "cover-directory" ? "generated" : showPath(operation.hostPath);
}
