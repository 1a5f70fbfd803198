import type { Finding, Report } from "../../../src/model/finding.ts";

/** Runs a function and returns its result with the findings that it reported. */
export function collectFindings<T>(run: (report: Report) => T): {
  readonly value: T;
  readonly findings: readonly Finding[];
} {
  const findings: Finding[] = [];
  const value = run((found) => void findings.push(found));
  return { value, findings };
}
