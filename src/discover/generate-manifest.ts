import type { MountType } from "../manifest/parse-manifest.ts";
import { NvociError } from "../model/errors.ts";
import { basename, below, type HostPath, hostPath, isWithin } from "../model/paths.ts";
import type { FileType, HostView } from "../model/views.ts";
import { compileGlob, matchGlob } from "../text/match-glob.ts";
import { hasControlCharacter, quote } from "../text/quote.ts";

/** Manifest type for each file type. A link is always `sym`: its target may be in another package. */
const TYPES: Readonly<Partial<Record<FileType, MountType>>> = {
  file: "lib",
  directory: "dir",
  symlink: "sym",
  "character-device": "dev",
  "block-device": "dev",
};

/**
 * Lists the files of an installed tree that containers get, as the lines of a CSV mount manifest.
 *
 * Does not follow links on the way to an entry. Omits the content of listed directories, FIFOs and sockets. Equal
 * trees produce equal lines, sorted by path.
 *
 * @param root the root of the tree, which the lines do not contain.
 * @param patterns absolute paths below the root; components may contain the wildcards of glob(7).
 * @param excluded patterns to leave out: a pattern without a slash matches names, any other matches paths.
 * @throws {NvociError} "usage" when a pattern is not absolute.
 * @throws {NvociError} "file-invalid" when a pattern matches nothing, or a manifest cannot contain a name.
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
    if (matches.length === 0) throw invalid(pattern, `it matches nothing in ${quote(root)}`);
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

/** Returns the paths below the root that a pattern matches. */
function expand(host: HostView, root: HostPath, pattern: string): readonly string[] {
  if (!pattern.startsWith("/")) {
    throw new NvociError(
      "usage",
      `Cannot list ${quote(pattern)}: the pattern is not an absolute path within the tree`,
    );
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

/** Returns the names in a directory; `undefined` for anything else, including links to directories. */
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

/** Refuses a path that a reader of the line would misread. */
function writable(path: string): string {
  if (!hasControlCharacter(path) && path.trim() === path) return path;
  throw invalid(path, "a manifest cannot contain this name");
}

const invalid = (path: string, reason: string): NvociError =>
  new NvociError("file-invalid", `Cannot list ${quote(path)}: ${reason}`);
