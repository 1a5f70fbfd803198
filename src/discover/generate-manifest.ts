import type { MountType } from "../manifest/parse-manifest.ts";
import { NvociError } from "../model/errors.ts";
import { basename, below, type HostPath, hostPath, isWithin } from "../model/paths.ts";
import type { FileType, HostView } from "../model/views.ts";
import { compileGlob, matchGlob } from "../text/match-glob.ts";
import { hasControlCharacter, quote } from "../text/quote.ts";

/** How a manifest calls what a tree has. A link is one wherever it leads: its target may be another package's. */
const TYPES: Readonly<Partial<Record<FileType, MountType>>> = {
  file: "lib",
  directory: "dir",
  symlink: "sym",
  "character-device": "dev",
  "block-device": "dev",
};

/**
 * Lists what of an installed tree containers are to get, as the lines of a CSV mount manifest.
 *
 * Links on the way to an entry are not followed. What lies in a listed directory has no line of its own. FIFOs and
 * sockets are left out. Equal trees give equal lines, sorted by path.
 *
 * @param root the tree's own root; the lines are without it.
 * @param patterns absolute paths below the root, with the wildcards of glob(7) within components.
 * @param excluded patterns of what is left out: of names where they have no slash, of paths otherwise.
 * @throws NvociError "usage" for a pattern that is not absolute; "file-invalid" for one that matches nothing, and for
 * a name that no manifest can hold.
 */
export function generateManifest(
  host: HostView,
  root: HostPath,
  patterns: readonly string[],
  excluded: readonly string[],
): readonly string[] {
  const types = new Map<string, MountType>();
  for (const pattern of patterns) {
    const matches = expand(host, root, pattern);
    if (matches.length === 0) throw invalid(pattern, `nothing in ${quote(root)} matches`);
    for (const path of matches) {
      const type = TYPES[host.lstat(below(root, path))?.type ?? "fifo"];
      if (type !== undefined && !excluded.some((exclusion) => isExcluded(path, exclusion)))
        types.set(path, type);
    }
  }
  const directories = [...types.keys()].filter((path) => types.get(path) === "dir");
  const isCovered = (path: string): boolean =>
    directories.some((directory) => directory !== path && isWithin(path, directory));
  return [...types.keys()]
    .filter((path) => !isCovered(path))
    .sort()
    .map((path) => `${types.get(path)}, ${writable(path)}`);
}

/** Paths below the root that a pattern matches. */
function expand(host: HostView, root: HostPath, pattern: string): readonly string[] {
  if (!pattern.startsWith("/")) {
    throw new NvociError("usage", `Cannot list ${quote(pattern)}: give a path from the tree's root on`);
  }
  let paths: readonly string[] = [""];
  for (const component of hostPath(pattern).slice(1).split("/")) {
    const glob = compileGlob(component);
    paths = paths.flatMap((path) =>
      (readRealDirectory(host, below(root, hostPath(path))) ?? [])
        .filter((name) => name === component || glob.matches(name))
        .map((name) => `${path}/${name}`),
    );
  }
  return paths;
}

/** Names in a directory; `undefined` for anything else, links to directories too. */
const readRealDirectory = (host: HostView, path: HostPath): readonly string[] | undefined =>
  host.lstat(path)?.type === "directory" ? host.readDirectory(path) : undefined;

function isExcluded(path: string, exclusion: string): boolean {
  if (!exclusion.includes("/")) return matchGlob(exclusion, basename(path));
  const wanted = hostPath(exclusion).split("/");
  const given = path.split("/");
  return (
    wanted.length === given.length &&
    wanted.every((component, index) => matchGlob(component, given[index] ?? ""))
  );
}

/** Refuses what a reader of the line would take for something else. */
function writable(path: string): string {
  if (!hasControlCharacter(path) && path.trim() === path) return path;
  throw invalid(path, "a manifest cannot hold such a name");
}

const invalid = (path: string, reason: string): NvociError =>
  new NvociError("file-invalid", `Cannot list ${quote(path)}: ${reason}`);
