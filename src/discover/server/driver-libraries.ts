import { DRIVER_LIBRARIES, type DriverLibrary, LIBRARY_LINKS } from "../../driver/facts/libraries.ts";
import { readSoname } from "../../elf/read-soname.ts";
import { bindMount, type Link, type Mount } from "../../model/container-edits.ts";
import { NvociError } from "../../model/errors.ts";
import { type Finding, finding, type Source } from "../../model/finding.ts";
import { basename, type ContainerPath, containerPath, dirname, type HostPath } from "../../model/paths.ts";
import { quote } from "../../text/quote.ts";
import type { LibraryDirectories } from "../library-places.ts";
import { type ChosenLibrary, chooseLibraries } from "./choose-libraries.ts";
import type { DriverRoot } from "./driver-root.ts";
import { type LibraryServer, libraryCandidates } from "./library-candidates.ts";

/**
 * Finds the driver's libraries for the requested capabilities.
 *
 * @throws {NvociError} "driver-mismatch" when an essential library and the kernel modules differ in version.
 */
export function findLibraries(server: LibraryServer): readonly ChosenLibrary[] {
  const { capabilities, version, report } = server;
  const wanted = new Map<string, DriverLibrary>();
  for (const library of DRIVER_LIBRARIES) {
    if (library.capabilities.some((one) => capabilities.has(one))) wanted.set(library.name, library);
  }
  const isUsable = ({ bits }: { readonly bits: 32 | 64 | undefined }): boolean =>
    bits !== 32 || capabilities.has("compat32");
  const candidates = libraryCandidates(server, new Set(wanted.keys())).filter(isUsable);
  const choice = chooseLibraries(server, candidates, wanted);
  const chosen = choice.chosen.filter(isUsable);
  const found = new Set(chosen.filter(({ bits }) => bits === 64).map(({ library }) => library));
  const missing = [...wanted.values()].filter((library) => !found.has(library));
  refuseMismatch(missing, choice.otherVersions, version);
  for (const library of missing) report(describeMissing(library, choice.otherVersions, version));
  return chosen;
}

/** Returns the host's directory of the 64-bit libraries. */
export function hostDirectory(libraries: readonly ChosenLibrary[]): HostPath | undefined {
  const first = libraries.find(({ library, bits }) => bits === 64 && !library.ownVersion);
  return first && dirname(first.hostPath);
}

/** Returns the libcuda that the container gets. */
export const libcudaOf = (libraries: readonly ChosenLibrary[]): HostPath | undefined =>
  libraries.find(({ library, bits }) => bits === 64 && library.name === "libcuda.so")?.hostPath;

/**
 * Returns the mounts and links that give libraries to a container. Each library goes directly into the container's
 * library directory. Links for SONAMEs and other names make it findable even if ldconfig cannot run.
 */
export function libraryEdits(
  root: DriverRoot,
  libraries: readonly ChosenLibrary[],
  directories: LibraryDirectories,
): { readonly mounts: readonly Mount[]; readonly links: readonly Link[] } {
  const mounts: Mount[] = [];
  const links = new Map<ContainerPath, Link>();
  for (const library of libraries) {
    const { hostPath, bits, source } = library;
    const path = containerPath(`${directories[bits]}/${basename(hostPath)}`);
    mounts.push(bindMount("file", hostPath, path, source));
    for (const link of [...convenienceLinks(path, source), ...nameLinks(root, library, path)]) {
      if (link.containerPath !== path && !links.has(link.containerPath)) links.set(link.containerPath, link);
    }
  }
  return { mounts, links: [...links.values()] };
}

/** Returns links for the host's names of a library, or for its SONAME if the host has none. */
function nameLinks(root: DriverRoot, chosen: ChosenLibrary, path: ContainerPath): Link[] {
  const names = new Set(chosen.names);
  if (names.size === 0) {
    const soname = readSoname(root.host, chosen.hostPath);
    if (soname !== undefined) names.add(soname);
  }
  const target = basename(path);
  const { source } = chosen;
  return [...names].map((name) => ({
    containerPath: containerPath(`${dirname(path)}/${name}`),
    target,
    source,
  }));
}

/** Returns the links that belong beside a library in the container. */
function convenienceLinks(library: ContainerPath, source: Source): Link[] {
  const file = basename(library);
  return LIBRARY_LINKS.filter((entry) => file.startsWith(entry.library)).map(({ name, target }) => ({
    containerPath: containerPath(`${dirname(library)}/${name}`),
    target: target.replace("*", file),
    source,
  }));
}

function refuseMismatch(
  missing: readonly DriverLibrary[],
  otherVersions: ReadonlyMap<string, HostPath>,
  version: string,
): void {
  for (const { name, essential } of missing) {
    const other = otherVersions.get(name);
    if (!essential || other === undefined) continue;
    throw new NvociError(
      "driver-mismatch",
      `Cannot use the NVIDIA driver ${quote(version)}: the kernel modules have this version, but the host's library is ${quote(other, 4096)}`,
      { hint: "restart the host or reload the nvidia kernel modules after a driver upgrade" },
    );
  }
}

function describeMissing(
  library: DriverLibrary,
  otherVersions: ReadonlyMap<string, HostPath>,
  version: string,
): Finding {
  const { name } = library;
  const other = otherVersions.get(name);
  if (other !== undefined) {
    return finding("driver-library-other-version", "info", `library ${name}`, { name, path: other, version });
  }
  return finding("driver-library-missing", library.essential ? "warning" : "info", `library ${name}`, {
    name,
    capability: library.capabilities.join(", "),
  });
}
