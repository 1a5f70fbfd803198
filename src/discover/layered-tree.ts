import type { FileStat, HostView } from "../model/host-view.ts";
import { below, dirname, type HostPath, hostPath, isWithin } from "../model/paths.ts";

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
export const withoutRoot = (path: string, root: HostPath): HostPath =>
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
export const realDirectoryOf = (tree: LayeredTree, { root, path }: Found): HostPath =>
  tree.realDirectory(root, dirname(path));
