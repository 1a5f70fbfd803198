import type { Triplet } from "../../model/machine.ts";
import { basename, type ContainerPath, dirname, join } from "../../model/paths.ts";
import { toMultiarch } from "../library-places.ts";
import type { ChainLink, Found } from "./layered-tree.ts";
import type { Located } from "./locate-entries.ts";

/** Where things of the host go in the container. */
export interface Placement {
  readonly place: (found: Found) => ContainerPath;
  /** The text that makes a link lead to `next` in the container: its own one wherever that does. */
  readonly linkText: (link: ChainLink, next: Found) => string;
}

/** What the mapping between host and container depends on. */
interface PlacementOptions {
  /** The root whose libraries lie directly in /usr/lib and belong into `triplet`'s directory; absent for none. */
  readonly flatRoot: string | undefined;
  readonly triplet: Triplet;
}

/** Bound on rewriting one path; only links that lead in a circle get there. */
const MAX_REWRITES = 40;

/**
 * Decides container paths for everything located.
 *
 * A path below a link to a directory moves below that directory, so that nothing is mounted through a link and no
 * file is mounted twice.
 */
export function placePaths(located: readonly Located[], options: PlacementOptions): Placement {
  const map = ({ root, path }: Found): string =>
    root === options.flatRoot ? toMultiarch(path, options.triplet) : path;
  const throughDirectories = followDirectoryLinks(located, map);

  const place = (found: Found): ContainerPath => throughDirectories(map(found)) as ContainerPath;
  return {
    place,
    linkText({ found, text }, next) {
      const target = place(next);
      const led = throughDirectories(join(dirname(place(found)), text));
      return led === target ? text : target;
    },
  };
}

/** Gives the function that moves a container path to where the links to directories above it lead. */
function followDirectoryLinks(
  located: readonly Located[],
  map: (found: Found) => string,
): (path: string) => string {
  const links = new Map<string, string>();
  let resolved = new Map<string, string>();

  function resolve(directory: string): string {
    let current = resolved.get(directory);
    if (current !== undefined) return current;
    current = directory;
    for (let count = 0; count < MAX_REWRITES; count++) {
      const next = rewriteOnce(links, current);
      if (next === undefined) break;
      current = next;
    }
    resolved.set(directory, current);
    return current;
  }
  function follow(path: string): string {
    if (links.size === 0) return path;
    const directory = dirname(path);
    const real = resolve(directory);
    return real === directory ? path : join(real, basename(path));
  }

  const toDirectories = located.filter(
    (entry) => entry.links.length > 0 && entry.end.stat.type === "directory",
  );
  for (const entry of toDirectories) {
    for (const { found } of entry.links) links.set(map(found), map(entry.end));
  }
  // A link may itself be listed below another one; it is also known by the name that it then gets.
  for (const entry of toDirectories) {
    for (const { found } of entry.links) {
      links.set(follow(map(found)), map(entry.end));
      resolved = new Map();
    }
  }
  return follow;
}

/** Moves a directory that is a link or lies below one, the deepest one first. */
function rewriteOnce(links: ReadonlyMap<string, string>, directory: string): string | undefined {
  for (let above = directory; above !== "/"; above = dirname(above)) {
    const target = links.get(above);
    if (target !== undefined && target !== above) return target + directory.slice(above.length);
  }
  return undefined;
}
