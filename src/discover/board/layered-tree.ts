import { basename, below, dirname, type HostPath, hostPath, isWithin, join } from "../../model/paths.ts";
import type { FileStat, HostView } from "../../model/views.ts";
import { compileGlob, hasWildcard } from "../../text/match-glob.ts";

/** Something that lies at a path of one of the roots. */
export interface Found {
  /** The root it was found in. */
  readonly root: HostPath;
  /** Its path within that root, which starts with a slash. */
  readonly path: HostPath;
  readonly stat: FileStat;
}

/**
 * Several roots of the host that are looked through as if they lay on top of each other. Every path that goes in or
 * comes out is one within a root. Answers are remembered, so that asking again costs nothing.
 */
export interface LayeredTree {
  /** What lies at a path in the first root that has it; a symbolic link is not followed. */
  readonly find: (path: HostPath) => Found | undefined;
  /** The names in a directory, of all roots together, each once, in no particular order. */
  readonly names: (directory: HostPath) => readonly string[];
  /** A directory's path without symbolic links; as it is when the links lead out of the root. */
  readonly realDirectory: (root: HostPath, directory: HostPath) => HostPath;
  /** A symbolic link's own text. */
  readonly readLink: (found: Found) => string | undefined;
}

/** The path by which the host knows what was found. */
export const hostPathOf = ({ root, path }: Pick<Found, "root" | "path">): HostPath => below(root, path);

/** Takes a root off a path that lies in it. */
const withoutRoot = (path: string, root: HostPath): HostPath =>
  hostPath(root === "/" || !isWithin(path, root) ? path : path.slice(root.length));

/** @param roots the first that has a path wins. */
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

/** The directory that something was found in, without symbolic links. */
const realDirectoryOf = (tree: LayeredTree, { root, path }: Found): HostPath =>
  tree.realDirectory(root, dirname(path));

/**
 * Finds what a path names: itself when it exists as it is written, else everything that its wildcards match.
 *
 * Wildcards do not match a slash or a leading dot.
 *
 * @returns sorted by path; empty when there is nothing.
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
  /** Its own text; an absolute one is told as seen from within the root. */
  readonly text: string;
}

/** A symbolic link, those it leads through, and what it ends at. */
interface LinkChain {
  /** Empty when the start is no link. */
  readonly links: readonly ChainLink[];
  /** No link; `undefined` when the chain ends nowhere. */
  readonly end: Found | undefined;
  /** Where the last link leads. */
  readonly target: HostPath;
}

/** The kernel's bound on symbolic links in one lookup (MAXSYMLINKS). */
const MAX_LINKS = 40;

/**
 * Follows a symbolic link, link by link, to the file or directory that it stands for.
 *
 * Each next one is looked for in all roots of the tree. Its path has no symbolic link in the directory part; the
 * start's path stays as given.
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
