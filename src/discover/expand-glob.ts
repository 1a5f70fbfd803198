import { type HostPath, hostPath } from "../model/paths.ts";
import type { Found, LayeredTree } from "./layered-tree.ts";
import { compileGlob, hasWildcard } from "./match-glob.ts";

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
