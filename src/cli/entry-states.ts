import type { MountSpec } from "../manifest/parse-manifest.ts";
import type { Finding, FindingCode } from "../model/finding.ts";

/** A manifest's entry and whether the host has what it names. */
export interface EntryState {
  readonly spec: MountSpec;
  readonly found: boolean;
}

/** Findings that leave an entry out. A duplicate is there, by another entry. */
const LEFT_OUT: readonly FindingCode[] = [
  "entry-missing",
  "entry-no-match",
  "entry-dangling",
  "entry-unreadable",
  "entry-wrong-type",
];

/** Puts the findings of a discovery to the entries that they are about, in the order of the entries. */
export function entryStates(specs: readonly MountSpec[], findings: readonly Finding[]): EntryState[] {
  const missing = new Set(findings.filter(({ code }) => LEFT_OUT.includes(code)).map(({ source }) => source));
  return specs.map((spec) => ({ spec, found: !missing.has(spec.source) }));
}
