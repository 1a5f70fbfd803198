import { basename, dirname, type HostPath, hostPath, join } from "../model/paths.ts";
import { type Found, type LayeredTree, realDirectoryOf, withoutRoot } from "./layered-tree.ts";

/** One symbolic link of a chain. */
export interface ChainLink {
  readonly found: Found;
  /** Its own text; an absolute one is told as seen from within the root. */
  readonly text: string;
}

/** A symbolic link, those it leads through, and what it ends at. */
export interface LinkChain {
  /** Empty when the start is no link. */
  readonly links: readonly ChainLink[];
  /** No link; `undefined` when the chain ends nowhere. */
  readonly end: Found | undefined;
  /** Where the last link leads. */
  readonly target: HostPath;
}

/** The kernel's bound on symbolic links in one lookup (MAXSYMLINKS). */
const LONGEST_CHAIN = 40;

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
    if (own === undefined || links.length === LONGEST_CHAIN) return { links, end: undefined, target };
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
