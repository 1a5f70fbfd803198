import type { Finding } from "../../model/finding.ts";
import { type Check, check } from "../../render/check.ts";
import { entryStates } from "../entry-states.ts";
import type { HostReport } from "../read-host.ts";

/** `l4t.csv` of `l4t.csv:41`. */
const fileOf = (source: string): string => source.replace(/:\d+$/, "");

/**
 * Tells which manifests are read, which are not and why, and how many of their entries the host has.
 *
 * @param findings of a container that asks for everything.
 */
export function checkManifests(facts: HostReport, findings: readonly Finding[]): Check[] {
  const { manifestDirectory: directory, manifests } = facts;
  const { specs } = manifests;
  const states = entryStates(specs, findings);
  const files = [...new Set(specs.map(({ source }) => fileOf(source)))];
  return [
    specs.length === 0
      ? check("fail", "manifests-none", { directory })
      : check("ok", "manifests", { directory, entries: specs.length }),
    ...files.map((file) => {
      const own = states.filter(({ spec }) => fileOf(spec.source) === file);
      const missing = own.filter((state) => !state.found).map(({ spec }) => `${spec.type}, ${spec.path}`);
      const found = own.length - missing.length;
      return check(found === 0 ? "warn" : "ok", "manifest", { file, found, missing });
    }),
    ...manifests.findings.map((finding) =>
      check(finding.severity === "warning" ? "warn" : "ok", "finding", { finding }),
    ),
  ];
}
