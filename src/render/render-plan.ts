import type { Manifest, MountSpec } from "../manifest/parse-manifest.ts";
import { append } from "../model/budget.ts";
import type { Finding } from "../model/finding.ts";
import type { Operation, OperationOf } from "../plan/operation.ts";
import { renderFinding } from "./render-finding.ts";
import { alignColumns, counted, showPath } from "./text.ts";

/** Returns a line for each manifest entry: state, type, path and source. */
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

/** Returns a `file:line: text` line for each finding, in the format of compilers, and a summary line. */
export function renderLint({ specs, findings }: Manifest): string[] {
  const warnings = findings.filter(({ severity }) => severity === "warning").length;
  return [
    ...findings.map(renderFinding),
    `${counted(specs.length, "entry", "entries")}, ${counted(warnings, "warning", "warnings")}`,
  ];
}

/** The choices of `nvoci list --type`, in the order in which lists show them. */
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
 * Returns the paths that a plan adds to a container, one per line, in the order of {@link LIST_TYPES}.
 *
 * @param long adds columns: the type, the host path (or the link's target), and the source.
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

/** Formats permission bits as chmod(1) reads them: `0660`. */
const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

const from = (hostPath: string, path: string): string =>
  hostPath === path ? "" : ` from ${showPath(hostPath)}`;

/** Returns one line that describes an operation, without its source. */
export function renderOperation(operation: Operation): string {
  switch (operation.op) {
    case "bind-directory":
    case "bind-file":
    case "bind-socket": {
      const { op, path, hostPath, options } = operation;
      return `mount ${op.slice("bind-".length)} ${showPath(path)}${from(hostPath, path)} (${options.join(",")})`;
    }
    case "make-link":
      return `create link ${showPath(operation.path)} -> ${showPath(operation.target)}`;
    case "bind-device": {
      const { path, hostPath, type, major, minor, fileMode } = operation;
      return `add device ${showPath(path)}${from(hostPath, path)} (${type} ${major}:${minor}, mode ${octal(fileMode)})`;
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
      return `update /etc/ld.so.cache with ${program} for ${all.map(showPath).join(", ")}`;
    }
    case "update-musl-path":
      return `list in ${showPath(operation.path)}: ${operation.folders.map(showPath).join(", ")}`;
    case "allow-devices": {
      const rules = operation.rules.map(
        ({ type, major, minor, access }) => `${type} ${major}:${minor} ${access}`,
      );
      return `allow in the device cgroup: ${rules.join(", ")}`;
    }
  }
}

/** What `nvoci plan` shows for one container. */
export interface ShownPlan {
  /** Whether the container requests GPUs and is allowed to have them. */
  readonly asks: boolean;
  readonly operations: readonly Operation[];
  readonly findings: readonly Finding[];
}

/** Returns the operations with their sources, numbered as errors number them, then the findings. */
export function renderPlan({ asks, operations, findings }: ShownPlan): string[] {
  const width = `${operations.length}`.length;
  const lines = operations.map(
    (operation, index) =>
      `${`${index + 1}`.padStart(width)}. ${renderOperation(operation)} [${operation.source}]`,
  );
  if (!asks) lines.push("Nothing to do: the container gets no GPU.");
  else if (operations.length === 0)
    lines.push("Nothing to do: the host has nothing that the container requests.");
  if (findings.length > 0) append(lines, ["", "Findings:", ...findings.map(renderFindingLine)]);
  return lines;
}

/** Returns a finding as one line that starts with its severity. */
const renderFindingLine = (finding: Finding): string => `${finding.severity}: ${renderFinding(finding)}`;
