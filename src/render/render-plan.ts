import type { Manifest, MountSpec } from "../manifest/parse-manifest.ts";
import { append } from "../model/budget.ts";
import type { Finding } from "../model/finding.ts";
import type { Operation, OperationOf } from "../plan/operation.ts";
import { renderFinding } from "./render-finding.ts";
import { alignColumns, counted, showPath } from "./text.ts";

/** State, type, path and place of each entry of manifests. */
export function renderEntries(
  states: readonly { readonly spec: MountSpec; readonly found: boolean }[],
): string[] {
  return alignColumns(
    states.map(({ spec, found }) => [
      found ? "found" : "missing",
      spec.type,
      showPath(spec.path),
      spec.source,
    ]),
  );
}

/** `file:line: text` a line, as compilers write, and a summary. */
export function renderLint({ specs, findings }: Manifest): string[] {
  const warnings = findings.filter(({ severity }) => severity === "warning").length;
  return [
    ...findings.map(renderFinding),
    `${counted(specs.length, "entry", "entries")}, ${counted(warnings, "warning", "warnings")}`,
  ];
}

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

/** `0660`, as ls(1) and chmod(1) count. */
const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

const from = (hostPath: string, path: string): string =>
  hostPath === path ? "" : ` from ${showPath(hostPath)}`;

/** One line about what an operation does, without who asked for it. */
export function renderOperation(operation: Operation): string {
  switch (operation.op) {
    case "bind-directory":
    case "bind-file":
    case "bind-socket": {
      const { op, path, hostPath, options } = operation;
      return `mount ${op.slice("bind-".length)} ${showPath(path)}${from(hostPath, path)} (${options.join(",")})`;
    }
    case "make-link":
      return `make link ${showPath(operation.path)} -> ${showPath(operation.target)}`;
    case "bind-device": {
      const { path, hostPath, type, major, minor, fileMode } = operation;
      return `give device ${showPath(path)}${from(hostPath, path)} (${type} ${major}:${minor}, mode ${octal(fileMode)})`;
    }
    case "cover-directory": {
      const { path, files, directories } = operation;
      const names = [...files.map(({ name }) => name), ...directories].map(showPath).join(", ");
      return `cover directory ${showPath(path)} with ${names}`;
    }
    case "update-ldcache": {
      const { ldconfig, folders, compatFolder } = operation;
      const all = compatFolder === undefined ? folders : [compatFolder, ...folders];
      const program = `the ${ldconfig.from === "host" ? "host's" : "image's"} ${showPath(ldconfig.path)}`;
      return `refresh /etc/ld.so.cache by ${program} for ${all.map(showPath).join(", ")}`;
    }
    case "allow-devices": {
      const rules = operation.rules.map(
        ({ type, major, minor, access }) => `${type} ${major}:${minor} ${access}`,
      );
      return `allow in the device cgroup: ${rules.join(", ")}`;
    }
  }
}

/** What is to be said about one container. */
export interface ShownPlan {
  /** Whether the container asks for anything that it may have. */
  readonly asks: boolean;
  readonly operations: readonly Operation[];
  readonly findings: readonly Finding[];
}

/** The operations, numbered as errors count them, each with who asked for it; then what was left out and why. */
export function renderPlan({ asks, operations, findings }: ShownPlan): string[] {
  const width = `${operations.length}`.length;
  const lines = operations.map(
    (operation, index) =>
      `${`${index + 1}`.padStart(width)}. ${renderOperation(operation)} [${operation.source}]`,
  );
  if (!asks) lines.push("The container gets no GPU: nothing is done.");
  else if (operations.length === 0) lines.push("Nothing was found to give to the container.");
  if (findings.length > 0) append(lines, ["", "Findings:", ...findings.map(renderFindingLine)]);
  return lines;
}

/** A finding with its severity in front. */
const renderFindingLine = (finding: Finding): string => `${finding.severity}: ${renderFinding(finding)}`;
