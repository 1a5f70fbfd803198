import type { Finding, Report } from "../../../src/model/finding.ts";

/** Runs something that reports, and gives what it returned and what it reported. */
export function collectFindings<T>(run: (report: Report) => T): {
  readonly value: T;
  readonly findings: readonly Finding[];
} {
  const findings: Finding[] = [];
  const value = run((found) => void findings.push(found));
  return { value, findings };
}
