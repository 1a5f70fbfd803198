import { basename, below, dirname, type HostPath, hostPath, isWithin, join } from "../../model/paths.ts";
import type { FileStat, HostView } from "../../model/views.ts";
import { compileGlob, hasWildcard } from "../../text/match-glob.ts";

/** A file, directory, link or device in one of the roots. */
export interface Found {
  /** The root that contains it. */
  readonly root: HostPath;
  /** Its absolute path within that root. */
  readonly path: HostPath;
  readonly stat: FileStat;
}

/**
 * Several roots of the host, searched as layers. All paths are paths within a root. Stats and real paths are
 * cached.
 */
export interface LayeredTree {
  /** Finds a path in the first root that has it. Does not follow symbolic links. */
  readonly find: (path: HostPath) => Found | undefined;
  /** Returns the names in a directory of all roots, each once, in no particular order. */
  readonly names: (directory: HostPath) => readonly string[];
  /** Returns a directory's path without symbolic links; unchanged if the links lead out of the root. */
  readonly realDirectory: (root: HostPath, directory: HostPath) => HostPath;
  /** Returns a symbolic link's text. */
  readonly readLink: (found: Found) => string | undefined;
}

/** Returns the host's path of a found file. */
export const hostPathOf = ({ root, path }: Pick<Found, "root" | "path">): HostPath => below(root, path);

/** Removes a root from a path within it. */
const withoutRoot = (path: string, root: HostPath): HostPath =>
  hostPath(root === "/" || !isWithin(path, root) ? path : path.slice(root.length));

/**
 * Layers roots of the host.
 *
 * @param roots the first that has a path wins.
 */
export function layeredTree(host: HostView, roots: readonly HostPath[]): LayeredTree {
  const stats = new Map<HostPath, FileStat | undefined>();
  const realPaths = new Map<HostPath, HostPath | undefined>();

  function lstat(path: HostPath): FileStat | undefined {
    let stat = stats.get(path);
    if (stat === undefined && !stats.has(path)) {
      stat = host.lstat(path);
      stats.set(path, stat);
    }
    return stat;
  }

  function realPath(path: HostPath): HostPath | undefined {
    if (!realPaths.has(path)) realPaths.set(path, host.realPath(path));
    return realPaths.get(path);
  }

  return {
    find(path) {
      for (const root of roots) {
        const stat = lstat(below(root, path));
        if (stat !== undefined) return { root, path, stat };
      }
      return undefined;
    },

    names(directory) {
      const names = roots.flatMap((root) => host.readDirectory(below(root, directory)) ?? []);
      return [...new Set(names)];
    },

    realDirectory(root, directory) {
      const real = realPath(below(root, directory));
      const realRoot = root === "/" ? root : realPath(root);
      if (real === undefined || realRoot === undefined || !isWithin(real, realRoot)) return directory;
      return withoutRoot(real, realRoot);
    },

    readLink: (found) => host.readLink(hostPathOf(found)),
  };
}

/** Returns the directory of a found file, without symbolic links. */
const realDirectoryOf = (tree: LayeredTree, { root, path }: Found): HostPath =>
  tree.realDirectory(root, dirname(path));

/**
 * Finds a path: itself if it exists literally, else everything that its wildcards match.
 *
 * Wildcards do not match a slash or a leading dot.
 *
 * @returns the matches, sorted by path.
 */
export function expandGlob(tree: LayeredTree, path: HostPath): readonly Found[] {
  const literal = tree.find(path);
  if (literal !== undefined) return [literal];
  if (!hasWildcard(path)) return [];
  let directories: readonly string[] = [""];
  for (const component of path.slice(1).split("/")) {
    directories = directories.flatMap((directory) =>
      hasWildcard(component) ? matches(tree, directory, component) : [`${directory}/${component}`],
    );
  }
  return [...directories]
    .sort()
    .map((match) => tree.find(hostPath(match)))
    .filter((found) => found !== undefined);
}

function matches(tree: LayeredTree, directory: string, component: string): string[] {
  const glob = compileGlob(component);
  return tree
    .names(hostPath(directory))
    .filter((name) => glob.matches(name))
    .map((name) => `${directory}/${name}`);
}

/** One symbolic link of a chain. */
export interface ChainLink {
  readonly found: Found;
  /** The link's text, without the root if it is absolute. */
  readonly text: string;
}

/** A chain of symbolic links and the file at its end. */
interface LinkChain {
  /** Empty when the start is not a link. */
  readonly links: readonly ChainLink[];
  /** Never a link; `undefined` when the chain leads nowhere. */
  readonly end: Found | undefined;
  /** The path that the last link names. */
  readonly target: HostPath;
}

/** The kernel's limit on symbolic links in one lookup (MAXSYMLINKS). */
const MAX_LINKS = 40;

/**
 * Follows a chain of symbolic links to the file or directory at its end.
 *
 * Searches all roots of the tree for each next link. The directory part of its path contains no symbolic link; the
 * path of the start stays unchanged.
 *
 * @see path_resolution(7)
 */
export function followLinks(tree: LayeredTree, start: Found): LinkChain {
  const links: ChainLink[] = [];
  let current = start;
  let target = start.path;
  while (current.stat.type === "symlink") {
    const own = tree.readLink(current);
    if (own === undefined || links.length === MAX_LINKS) return { links, end: undefined, target };
    const text = own.startsWith("/") ? withoutRoot(own, current.root) : own;
    links.push({ found: current, text });
    target = hostPath(join(realDirectoryOf(tree, current), text));
    const next = tree.find(target);
    if (next === undefined) return { links, end: undefined, target };
    const directory = tree.realDirectory(next.root, dirname(target));
    current = { ...next, path: hostPath(join(directory, basename(target))) };
  }
  return { links, end: current, target };
}
