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
    !(directories.length > 0 && directories.some((directory) => isWithin(path, directory.containerPath)));
  const named = edits.links.filter((link) => isLibrary(link.containerPath));
  const found: Link[] = [];
  // Most SONAMEs are the file's own name, and then no name is looked up here.
  let given: Set<ContainerPath> | undefined;
  const add = (beside: ContainerPath, soname: string, source: string): void => {
    if (soname === basename(beside)) return;
    given ??= new Set([...edits.mounts, ...edits.links].map((edit) => edit.containerPath));
    const path = containerPath(`${dirname(beside)}/${soname}`);
    if (given.has(path)) return;
    given.add(path);
    found.push({ containerPath: path, target: basename(beside), source });
  };

  /** SONAMEs of files, as far as a link of the edits beside the file shows them. */
  const shown = new Map<ContainerPath, string>();
  for (const link of named) {
    const target = targetOf(link);
    const name = basename(link.containerPath);
    if (name.includes(".so.") && dirname(target) === dirname(link.containerPath)) shown.set(target, name);
  }
  for (const mount of edits.mounts) {
    const { kind, containerPath: path } = mount;
    if (kind !== "file" || !isLibrary(path) || shown.has(path)) continue;
    const soname = sonameOf(mount);
    if (soname !== undefined) add(path, soname, mount.source);
  }

  // ldconfig lists a library in each directory that has any link to it, under the SONAME alone.
  const ends = endsOf(named);
  const elsewhere = named.filter((link) => dirname(ends(link)) !== dirname(link.containerPath));
  if (elsewhere.length === 0) return found;
  const libraries = new Map(edits.mounts.map((mount) => [mount.containerPath, mount]));
  for (const link of elsewhere) {
    const file = ends(link);
    const library = libraries.get(file);
    const isFile = library?.kind === "file" && isLibrary(file);
    const soname = shown.get(file) ?? (isFile ? sonameOf(library) : undefined);
    if (soname !== undefined) add(link.containerPath, soname, link.source);
  }
  return found;
}

/** Returns a function that follows a link through the others, to the file at the end. */
function endsOf(named: readonly Link[]): (link: Link) => ContainerPath {
  const links = new Map(named.map((link) => [link.containerPath, link]));
  return (link) => {
    let file = targetOf(link);
    for (let next = links.get(file), steps = 0; next !== undefined && steps < MAX_LINKS; steps++) {
      file = targetOf(next);
      next = links.get(file);
    }
    return file;
  };
}
