import type { Manifest } from "../manifest/parse-manifest.ts";
import { counted } from "./counted.ts";
import { renderFinding } from "./render-finding.ts";

/** `file:line: text` a line, as compilers write, and a summary. */
export function renderLint({ specs, findings }: Manifest): string[] {
  const warnings = findings.filter(({ severity }) => severity === "warning").length;
  return [
    ...findings.map(renderFinding),
    `${counted(specs.length, "entry", "entries")}, ${counted(warnings, "warning", "warnings")}`,
  ];
}
