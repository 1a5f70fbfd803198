import { readSoname } from "../elf/elf-dynamic.ts";
import type { ContainerEdits, Link } from "../model/container-edits.ts";
import { finding, type Report } from "../model/finding.ts";
import type { HostView } from "../model/host-view.ts";
import { basename, type ContainerPath, containerPath, dirname, isWithin } from "../model/paths.ts";
import { isLibraryName } from "./library-places.ts";

/**
 * Finds the links that ldconfig would make beside injected libraries, for a container that no ldconfig can be run
 * for: a program asks for `libx.so.1`, and the file is `libx.so.1.2`.
 *
 * A name that the edits give already is left to them. Nothing is added inside of a mounted directory, which is
 * read-only. Reads the head of every library that has another name than its own.
 *
 * @returns links to be put after those of the edits.
 * @see ldconfig(8)
 */
export function sonameLinks(
  host: HostView,
  edits: Pick<ContainerEdits, "mounts" | "links">,
  report: Report,
): readonly Link[] {
  const directories = edits.mounts.filter(({ kind }) => kind === "directory");
  const isCovered = (path: ContainerPath): boolean =>
    directories.some(({ containerPath: directory }) => isWithin(path, directory));
  const libraries = edits.mounts.filter(
    ({ kind, containerPath: path }) => kind === "file" && isLibraryName(basename(path)) && !isCovered(path),
  );
  if (libraries.length === 0) return [];

  const given = new Set<ContainerPath>([
    ...edits.mounts.map((mount) => mount.containerPath),
    ...edits.links.map((link) => link.containerPath),
  ]);
  const links: Link[] = [];
  for (const { hostPath, containerPath: path, source } of libraries) {
    const soname = readSoname(host, hostPath);
    if (soname === undefined) continue;
    const link = containerPath(`${dirname(path)}/${soname}`);
    if (given.has(link)) continue;
    given.add(link);
    links.push({ containerPath: link, target: basename(path), source });
  }
  report(finding("ldconfig-none", "warning", "nvidia-container-cli.ldconfig", { links: links.length }));
  return links;
}
