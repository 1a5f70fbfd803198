import type { MountSpec } from "../manifest/mount-spec.ts";
import { type Finding, finding, type Source } from "../model/finding.ts";
import { expandGlob } from "./expand-glob.ts";
import { type ChainLink, followLinks } from "./follow-links.ts";
import type { Found, LayeredTree } from "./layered-tree.ts";
import { hasWildcard } from "./match-glob.ts";

/** One thing that the host has because an entry asks for it, and that a container can be given. */
export interface Located {
  readonly source: Source;
  /** The symbolic links from the listed path on; empty when it is no link. */
  readonly links: readonly ChainLink[];
  /** What lies at the end of them: a file, a directory or, without links, a device node. */
  readonly end: Found;
}

/** What became of one entry. */
export interface LocatedEntry {
  readonly located: readonly Located[];
  readonly findings: readonly Finding[];
}

/**
 * Looks an entry of a manifest up on the host.
 *
 * What the host has counts more than the word in the manifest: a `lib` that is a symbolic link is one. An entry
 * that cannot be used gives a finding instead.
 *
 * @param devices the tree for `dev` entries.
 * @param files the tree for all others.
 */
export function locateEntry(devices: LayeredTree, files: LayeredTree, spec: MountSpec): LocatedEntry {
  const { type, path, source } = spec;
  const tree = type === "dev" ? devices : files;
  const hits = expandGlob(tree, path);
  if (hits.length === 0) {
    // One manifest serves several boards, and each lacks the devices of the others.
    const severity = type === "dev" ? "info" : "warning";
    const missing = hasWildcard(path)
      ? finding("entry-no-match", severity, source, { type, pattern: path })
      : finding("entry-missing", severity, source, { type, path });
    return { located: [], findings: [missing] };
  }
  const located: Located[] = [];
  const findings: Finding[] = [];
  for (const hit of hits) {
    const result = type === "dev" ? asDevice(spec, hit) : asFile(files, spec, hit);
    if (result.located !== undefined) located.push(result.located);
    if (result.finding !== undefined) findings.push(result.finding);
  }
  return { located, findings };
}

interface Outcome {
  readonly located?: Located;
  readonly finding?: Finding;
}

function asDevice({ type, source }: MountSpec, hit: Found): Outcome {
  const found = hit.stat.type;
  if (found === "character-device" || found === "block-device") {
    return { located: { source, links: [], end: hit } };
  }
  return { finding: finding("entry-wrong-type", "warning", source, { type, path: hit.path, found }) };
}

function asFile(tree: LayeredTree, { type, source }: MountSpec, hit: Found): Outcome {
  const { links, end, target } = followLinks(tree, hit);
  if (end === undefined) {
    return { finding: finding("entry-dangling", "warning", source, { path: hit.path, target }) };
  }
  const { type: found } = end.stat;
  const wrong = (severity: "info" | "warning"): Finding =>
    finding("entry-wrong-type", severity, source, { type, path: hit.path, found });
  const isFile = found === "file" && type !== "dir";
  // Mounting the host's root would hide the whole image.
  const isDirectory = found === "directory" && end.path !== "/";
  if (!isFile && !isDirectory) return { finding: wrong("warning") };
  const located = { source, links, end };
  return type === "lib" && isDirectory && links.length === 0
    ? { located, finding: wrong("info") }
    : { located };
}
