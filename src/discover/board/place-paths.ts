import type { Triplet } from "../../model/machine.ts";
import { basename, type ContainerPath, dirname, join } from "../../model/paths.ts";
import { toMultiarch } from "../library-places.ts";
import type { ChainLink, Found } from "./layered-tree.ts";
import type { Located } from "./locate-entries.ts";

/** Maps paths of the host to paths of the container. */
export interface Placement {
  readonly place: (found: Found) => ContainerPath;
  /** Returns the text that makes a link lead to `next` in the container: the link's own text if that does. */
  readonly linkText: (link: ChainLink, next: Found) => string;
}

/** Everything else that the mapping depends on. */
interface PlacementOptions {
  /** The root whose libraries are directly in /usr/lib and belong in `triplet`'s directory. */
  readonly flatRoot: string | undefined;
  readonly triplet: Triplet;
}

/** Limit on rewrites of one path. Only loops of links reach it. */
const MAX_REWRITES = 40;

/**
 * Determines the container path of everything located.
 *
 * A path below a link to a directory moves below that directory, so that no mount goes through a link and no file
 * is mounted twice.
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

/** Returns a function that resolves links to directories in the directory part of a container path. */
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
  // A link may itself be below another link; it is also known by its resolved path.
  for (const entry of toDirectories) {
    for (const { found } of entry.links) {
      links.set(follow(map(found)), map(entry.end));
      resolved = new Map();
    }
  }
  return follow;
}

/** Replaces the deepest link in a directory's path by its target; `undefined` when the path has no link. */
function rewriteOnce(links: ReadonlyMap<string, string>, directory: string): string | undefined {
  for (let above = directory; above !== "/"; above = dirname(above)) {
    const target = links.get(above);
    if (target !== undefined && target !== above) return target + directory.slice(above.length);
  }
  return undefined;
}
