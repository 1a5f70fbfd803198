import { NVGPU_NODES } from "../../driver/facts/boards.ts";
import type { MountSpec } from "../../manifest/parse-manifest.ts";
import { ignorable, type NvociError } from "../../model/errors.ts";
import { type Finding, finding, type Report, type Source } from "../../model/finding.ts";
import { type HostPath, hostPath } from "../../model/paths.ts";
import type { FileType } from "../../model/views.ts";
import { hasWildcard } from "../../text/match-glob.ts";
import { type ChainLink, expandGlob, type Found, followLinks, type LayeredTree } from "./layered-tree.ts";

/** Something that an entry names and the host has. */
export interface Located {
  readonly source: Source;
  /** The symbolic links from the listed path on; empty when the path is not a link. */
  readonly links: readonly ChainLink[];
  /** The end of the links: a file, a directory or, without links, a device node. */
  readonly end: Found;
}

/** Receives the located entries, and findings about the others. */
interface Outcome {
  readonly located: Located[];
  readonly report: Report;
}

/**
 * Looks up the entries of manifests on the host.
 *
 * The host's file type overrides the manifest's: a `lib` entry that names a symbolic link is a link. An entry that
 * cannot be used becomes a finding.
 *
 * @param devices the tree for `dev` entries.
 * @param files the tree for all others.
 */
export function locateEntries(
  devices: LayeredTree,
  files: LayeredTree,
  specs: readonly MountSpec[],
  report: Report,
): readonly Located[] {
  const into: Outcome = { located: [], report };
  for (const spec of specs) {
    try {
      locateEntry(devices, files, spec, into);
    } catch (error) {
      // Even root cannot read some directories: on a FUSE mount, or when a file server is gone.
      const failure = ignorable(error);
      if (failure.code !== "system-call") throw failure;
      into.report(unreadable(spec, failure));
    }
  }
  return into.located;
}

function locateEntry(devices: LayeredTree, files: LayeredTree, spec: MountSpec, into: Outcome): void {
  const isDevice = spec.type === "dev";
  const hits = isDevice ? nodesOf(devices, spec.path) : expandGlob(files, spec.path);
  if (hits.length === 0) into.report(missing(spec));
  for (const hit of hits) {
    if (isDevice) addDevice(spec, hit, into);
    else addFile(files, spec, hit, into);
  }
}

/** Finds the nodes of a `dev` entry. Manifests are the same for all boards, but Thor names nvgpu's nodes otherwise. */
function nodesOf(devices: LayeredTree, path: HostPath): readonly Found[] {
  const hits = expandGlob(devices, path);
  if (hits.length > 0 || !path.startsWith(NVGPU_NODES.listed)) return hits;
  return expandGlob(devices, hostPath(NVGPU_NODES.thor + path.slice(NVGPU_NODES.listed.length)));
}

const unreadable = ({ type, path, source }: MountSpec, { message }: NvociError): Finding =>
  finding("entry-unreadable", "warning", source, { type, path, reason: message });

function missing({ type, path, source }: MountSpec): Finding {
  // One manifest serves several boards, each without the devices of the others.
  const severity = type === "dev" ? "info" : "warning";
  return hasWildcard(path)
    ? finding("entry-no-match", severity, source, { type, pattern: path })
    : finding("entry-missing", severity, source, { type, path });
}

const wrongType = ({ type, source }: MountSpec, path: HostPath, found: FileType) =>
  finding("entry-wrong-type", "warning", source, { type, path, found });

function addDevice(spec: MountSpec, hit: Found, into: Outcome): void {
  const found = hit.stat.type;
  if (found === "character-device" || found === "block-device") {
    into.located.push({ source: spec.source, links: [], end: hit });
  } else {
    into.report(wrongType(spec, hit.path, found));
  }
}

function addFile(tree: LayeredTree, spec: MountSpec, hit: Found, into: Outcome): void {
  const { type, source } = spec;
  const { links, end, target } = followLinks(tree, hit);
  if (end === undefined) {
    into.report(finding("entry-dangling", "warning", source, { path: hit.path, target }));
    return;
  }
  const found = end.stat.type;
  const isFile = found === "file" && type !== "dir";
  // Mounting the host's root would hide the whole image.
  const isDirectory = found === "directory" && end.path !== "/";
  if (!isFile && !isDirectory) {
    into.report(wrongType(spec, hit.path, found));
    return;
  }
  into.located.push({ source, links, end });
  if (type === "lib" && isDirectory && links.length === 0) {
    into.report(finding("entry-is-directory", "info", source, { type, path: hit.path }));
  }
}
