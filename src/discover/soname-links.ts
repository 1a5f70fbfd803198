import type { ContainerEdits, Link, Mount } from "../model/container-edits.ts";
import { basename, type ContainerPath, containerPath, dirname, isWithin, join } from "../model/paths.ts";
import { isLibraryName } from "./library-places.ts";

/** Maximum length of a chain of links: the kernel allows no more in one lookup. */
const MAX_LINKS = 40;

/** Resolves a link's text relative to the link's directory. */
const targetOf = (link: Link): ContainerPath => containerPath(join(dirname(link.containerPath), link.target));

/**
 * Finds the links that ldconfig would make beside injected libraries: a program needs `libx.so.1`, and the file is
 * `libx.so.1.2`. ldconfig itself may not make links, because it would make and remove them in every directory that
 * the image lists.
 *
 * Skips names that the edits already provide. Adds nothing inside a mounted directory, which is read-only.
 *
 * @param sonameOf called for every library that no link leads to.
 * @returns the links to append to those of the edits.
 * @see ldconfig(8)
 */
export function sonameLinks(
  edits: Pick<ContainerEdits, "mounts" | "links">,
  sonameOf: (library: Mount) => string | undefined,
): readonly Link[] {
  const directories = edits.mounts.filter(({ kind }) => kind === "directory");
  const isLibrary = (path: ContainerPath): boolean =>
    isLibraryName(basename(path)) &&
    !directories.some(({ containerPath: directory }) => isWithin(path, directory));
  const named = edits.links.filter(({ containerPath: path }) => isLibrary(path));
  const given = new Set<ContainerPath>([
    ...edits.mounts.map((mount) => mount.containerPath),
    ...edits.links.map((link) => link.containerPath),
  ]);
  const found: Link[] = [];
  const add = (beside: Link["containerPath"], soname: string, source: string): void => {
    const path = containerPath(`${dirname(beside)}/${soname}`);
    if (given.has(path)) return;
    given.add(path);
    found.push({ containerPath: path, target: basename(beside), source });
  };

  const sonames = new Map<ContainerPath, string>();
  for (const link of named) {
    const target = targetOf(link);
    const name = basename(link.containerPath);
    if (name.includes(".so.") && dirname(target) === dirname(link.containerPath)) sonames.set(target, name);
  }
  for (const mount of edits.mounts) {
    const { kind, containerPath: path, source } = mount;
    if (kind !== "file" || !isLibrary(path) || sonames.has(path)) continue;
    const soname = sonameOf(mount);
    if (soname === undefined) continue;
    sonames.set(path, soname);
    add(path, soname, source);
  }

  // ldconfig lists a library in each directory that has any link to it, under the SONAME alone.
  const links = new Map(named.map((link) => [link.containerPath, link]));
  for (const link of named) {
    let file = targetOf(link);
    for (let next = links.get(file), steps = 0; next !== undefined && steps < MAX_LINKS; steps++) {
      file = targetOf(next);
      next = links.get(file);
    }
    const soname = sonames.get(file);
    if (soname !== undefined && dirname(file) !== dirname(link.containerPath)) {
      add(link.containerPath, soname, link.source);
    }
  }
  return found;
}
