import { type ContainerPath, containerPath, dirname, join } from "../model/paths.ts";
import { type Triplet, toMultiarch } from "./debian-layout.ts";
import type { ChainLink } from "./follow-links.ts";
import type { Found } from "./layered-tree.ts";
import type { Located } from "./locate-entry.ts";

/** Where things of the host go in the container. */
export interface Placement {
  readonly place: (found: Found) => ContainerPath;
  /** The text that makes a link lead to `next` in the container: its own one wherever that does. */
  readonly linkText: (link: ChainLink, next: Found) => string;
}

/** What the mapping between host and container depends on. */
export interface PlacementOptions {
  /** The root whose libraries lie directly in /usr/lib and belong into `triplet`'s directory; absent for none. */
  readonly flatRoot: string | undefined;
  readonly triplet: Triplet;
}

/** Bound on rewriting one path; only links that lead in a circle get there. */
const MOST_REWRITES = 40;

/**
 * Decides container paths for everything located.
 *
 * A path below a link to a directory moves below that directory, so that nothing is mounted through a link and no
 * file is mounted twice.
 */
export function placePaths(located: readonly Located[], options: PlacementOptions): Placement {
  const directoryLinks = new Map<string, string>();

  const map = ({ root, path }: Found): string =>
    root === options.flatRoot ? toMultiarch(path, options.triplet) : path;

  function followDirectories(path: string): ContainerPath {
    let current = path;
    for (let count = 0; count < MOST_REWRITES && directoryLinks.size > 0; count++) {
      const next = rewriteOnce(directoryLinks, current);
      if (next === undefined) break;
      current = next;
    }
    return containerPath(current);
  }

  const toDirectories = located.filter(({ links, end }) => links.length > 0 && end.stat.type === "directory");
  for (const { links, end } of toDirectories) {
    for (const { found } of links) directoryLinks.set(map(found), map(end));
  }
  // A link may itself be listed below another one; it is also known by the name that it then gets.
  for (const { links, end } of toDirectories) {
    for (const { found } of links) directoryLinks.set(followDirectories(map(found)), map(end));
  }

  const place = (found: Found): ContainerPath => followDirectories(map(found));
  return {
    place,
    linkText({ found, text }, next) {
      const target = place(next);
      const led = followDirectories(join(dirname(place(found)), text));
      return led === target ? text : target;
    },
  };
}

/** Moves a path that lies below a link, the deepest one first. */
function rewriteOnce(links: ReadonlyMap<string, string>, path: string): string | undefined {
  for (let above = dirname(path); above !== "/"; above = dirname(above)) {
    const target = links.get(above);
    if (target !== undefined && target !== above) return target + path.slice(above.length);
  }
  return undefined;
}
