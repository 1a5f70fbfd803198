import { append } from "../model/append.ts";
import type { Finding } from "../model/finding.ts";
import type { Operation } from "../plan/operation.ts";
import { renderFinding } from "./render-finding.ts";
import { renderOperation } from "./render-operation.ts";

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
