/**
 * Something worth reporting that does not stop the container. Findings are data: each code has its own arguments,
 * tests compare codes, and only `render/render-finding.ts` words them.
 */

/** Where a request or setting comes from, for messages: `l4t.csv:41`, `config.toml: mode`. */
export type Source = string;

type Severity = "info" | "warning";

/** Every finding code with its arguments. */
export interface FindingArguments {
  // manifest: the text of a file
  "manifest-line-malformed": { line: string };
  "manifest-type-unknown": { type: string };
  "manifest-path-empty": { type: string };
  "manifest-path-relative": { path: string };
  "manifest-path-invalid": { path: string; reason: "not-utf8" | "nul" | "too-long" };
  "manifest-empty": { file: string };
  "manifest-not-a-file": { file: string };
  "manifest-unreadable": { file: string; reason: string };
  "manifest-skipped-not-base": { file: string };
  "manifest-directory-missing": { directory: string };
  "manifest-path-root": { type: string };
  "manifest-writable-by-others": { path: string };
  // discovery: an entry against the host
  "entry-missing": { type: string; path: string };
  "entry-no-match": { type: string; pattern: string };
  "entry-duplicate": { path: string; first: Source };
  "entry-wrong-type": { type: string; path: string; found: string };
  "entry-dangling": { path: string; target: string };
  "entry-is-directory": { type: string; path: string };
  "entry-unreadable": { type: string; path: string; reason: string };
  "device-already-given": { path: string };
  // request
  "request-denied-unprivileged": { variable: string; value: string };
  "request-volume-mount-ignored": {
    destination: string;
    reason: "parent-directory" | "cdi-name" | "imex-channel" | "control-character";
  };
  // config.toml
  "config-key-unknown": { file: string; key: string };
  "config-value-replaced": { file: string; key: string; value: string; used: string };
  "config-swarm-resource-unseen": { file: string; variable: string };
  // the container
  "container-read-only": { path: string };
  "container-directory-in-the-way": { path: string };
  "container-file-in-the-way": { path: string };
  "container-mount-in-the-way": { path: string };
  "container-no-etc": Record<string, never>;
  /** What exceeds a limit, so that the rest of it is ignored. */
  "container-limit": { what: "ld.so.conf" };
  "musl-path-unusable": { path: string };
  "findings-left-out": { count: number };
  "container-leftover": { call: string };
  "container-mount-shared": { path: string };
  "container-volume-untouched": { path: string };
  "container-place-refused": { path: string };
  "ldconfig-container-own": { path: string };
  "ldconfig-unusable": { path: string; reason: "not-static" };
  "ldconfig-none": { links: number };
  "ldconfig-failed": { reason: string };
  // a server's driver
  "ldcache-missing": { file: string };
  "ldcache-invalid": { file: string; reason: string };
  "driver-library-missing": { name: string; capability: string };
  "driver-library-stale": { name: string; path: string };
  "driver-library-other-version": { name: string; path: string; version: string };
  "driver-library-unlisted": { names: readonly string[] };
  "driver-library-unreadable": { path: string; reason: string };
  "gpu-information-incomplete": { path: string; field: string };
  "gpu-excluded": { path: string };
  "requirement-unchecked": { variable: string; term: string };
  // the host itself: its kernel modules and device nodes
  "host-setup-failed": { reason: string };
  "host-setup-skipped": { reason: "user-namespace" | "not-root" };
  "kernel-module-not-loaded": { module: string; reason: string };
  "driver-not-loaded": Record<string, never>;
  "device-number-unknown": { path: string; driver: string };
  "device-node-unmanaged": { path: string };
  "device-node-not-made": { path: string; reason: string };
}

/**
 * Receives each finding as soon as it is made, so that none is lost when a later step refuses the container. It
 * writes to a log or to stderr, or adds to a list.
 */
export type Report = (found: Finding) => void;

export type FindingCode = keyof FindingArguments;

/** A finding. `source` names the line, key or entry that it is about. */
export type Finding = {
  [C in FindingCode]: {
    readonly code: C;
    readonly severity: Severity;
    readonly source: Source;
    readonly args: FindingArguments[C];
  };
}[FindingCode];

/** More findings of one kind add nothing. */
const MAX_FINDINGS_OF_A_KIND = 16;

/**
 * Returns findings for the first things of a list whose length an image decides, and a finding that counts the
 * rest.
 *
 * @param make called for the first things only: wording thousands takes seconds.
 */
export function firstFindings<T>(things: readonly T[], make: (thing: T) => Finding): readonly Finding[] {
  const findings = things.slice(0, MAX_FINDINGS_OF_A_KIND).map(make);
  const [first] = findings;
  const count = things.length - findings.length;
  if (first === undefined || count === 0) return findings;
  return [...findings, finding("findings-left-out", first.severity, first.source, { count })];
}

/** Builds a finding. The compiler checks the arguments against the code. */
export function finding<C extends FindingCode>(
  code: C,
  severity: Severity,
  source: Source,
  args: FindingArguments[C],
): Finding {
  return { code, severity, source, args } as Finding;
}
