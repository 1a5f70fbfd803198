import {
  bindMount,
  type ContainerEdits,
  type DeviceNode,
  deviceNode,
  type Link,
  type Mount,
} from "../../model/container-edits.ts";
import { finding, type Report, type Source } from "../../model/finding.ts";
import { type ContainerPath, dirname } from "../../model/paths.ts";
import { type Found, hostPathOf } from "./layered-tree.ts";
import type { Located } from "./locate-entries.ts";
import type { Placement } from "./place-paths.ts";

/** The first entry for each container path. */
type Claims = ReadonlyMap<ContainerPath, Located>;

/**
 * Turns located entries into edits, in the same order and each container path once.
 *
 * What an entry names comes first. What a symbolic link also needs (further links, the file or directory at its
 * end) is added only if no entry provides it.
 */
export function emitEdits(
  located: readonly Located[],
  placement: Placement,
  report: Report,
): Pick<ContainerEdits, "deviceNodes" | "mounts" | "links"> {
  const deviceNodes: DeviceNode[] = [];
  const mounts: Mount[] = [];
  const links: Link[] = [];
  const { paths, claims } = claimPaths(located, placement);
  const isShared = sharedDirectories(claims);
  const added = new Set<ContainerPath>();

  /** Reports whether a link still needs something at `path`, and records that it gets it. */
  function isNeeded(path: ContainerPath): boolean {
    if (claims.has(path) || added.has(path)) return false;
    added.add(path);
    return true;
  }

  /** Adds the parts of a chain of links. The entry itself claims the first link. */
  function addChain(entry: Located): void {
    const { source, end } = entry;
    entry.links.forEach((link, index) => {
      const containerPath = placement.place(link.found);
      if (index > 0 && !isNeeded(containerPath)) return;
      const next = entry.links[index + 1]?.found ?? end;
      links.push({ containerPath, target: placement.linkText(link, next), source });
    });
    const target = placement.place(end);
    const isProvided = end.stat.type === "directory" && isShared(target, entry);
    if (!isProvided && isNeeded(target)) mounts.push(toMount(end, target, source));
  }

  located.forEach((entry, index) => {
    const { source, end } = entry;
    const path = paths[index]!;
    const first = claims.get(path);
    if (first !== entry) {
      report(finding("entry-duplicate", "info", source, { path, first: first?.source ?? source }));
    } else if (entry.links.length > 0) {
      addChain(entry);
    } else if (!isDevice(end)) {
      mounts.push(toMount(end, path, source));
    } else {
      deviceNodes.push(deviceNode(path, hostPathOf(end), end.stat, source));
    }
  });
  return { deviceNodes, mounts, links };
}

/** Returns the container path of each entry, and the first entry for each path. */
function claimPaths(
  located: readonly Located[],
  { place }: Placement,
): { readonly paths: readonly ContainerPath[]; readonly claims: Claims } {
  const paths: ContainerPath[] = [];
  const claims = new Map<ContainerPath, Located>();
  for (const entry of located) {
    const path = place(entry.links[0]?.found ?? entry.end);
    paths.push(path);
    if (!claims.has(path)) claims.set(path, entry);
  }
  return { paths, claims };
}

/** Returns a function that reports whether a directory contains the path of an entry other than the given one. */
function sharedDirectories(claims: Claims): (directory: ContainerPath, entry: Located) => boolean {
  let owners: Map<ContainerPath, Located | "several"> | undefined;
  function count(): Map<ContainerPath, Located | "several"> {
    const counted = new Map<ContainerPath, Located | "several">();
    for (const [path, entry] of claims) {
      for (let above = dirname(path); above !== "/"; above = dirname(above)) {
        const owner = counted.get(above);
        // Every ancestor of a shared directory is shared.
        if (owner === "several") break;
        counted.set(above, owner === undefined || owner === entry ? entry : "several");
      }
    }
    return counted;
  }
  return (directory, entry) => {
    owners ??= count();
    const owner = owners.get(directory);
    return owner !== undefined && owner !== entry;
  };
}

const isDevice = ({ stat }: Found): boolean =>
  stat.type === "character-device" || stat.type === "block-device";

const toMount = (found: Found, path: ContainerPath, source: Source): Mount =>
  bindMount(found.stat.type === "directory" ? "directory" : "file", hostPathOf(found), path, source);
