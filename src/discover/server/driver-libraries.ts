import type { HostArchitecture } from "../../ldcache/architecture.ts";
import { FILE_OPTIONS, type Link, type Mount } from "../../model/container-edits.ts";
import type { DriverCapability } from "../../model/driver-capability.ts";
import { NvociError } from "../../model/errors.ts";
import { type Finding, finding } from "../../model/finding.ts";
import { basename, type ContainerPath, containerPath, dirname, type HostPath } from "../../model/paths.ts";
import { readSoname } from "../elf/read-soname.ts";
import { type ChosenLibrary, chooseLibraries } from "./choose-libraries.ts";
import { libraryDirectory, type ServerContainer } from "./container-directories.ts";
import { convenienceLinks } from "./convenience-links.ts";
import type { DriverRoot } from "./driver-root.ts";
import { libraryCandidates } from "./library-candidates.ts";
import { DRIVER_LIBRARIES, type DriverLibrary, withImplied } from "./library-table.ts";

/** What {@link discoverLibraries} is told. */
export interface LibrarySearch {
  readonly root: DriverRoot;
  readonly architecture: HostArchitecture;
  readonly ldCache?: HostPath | undefined;
  readonly librarySearchPaths?: readonly HostPath[] | undefined;
  readonly capabilities: readonly DriverCapability[];
  /** Of the kernel modules. */
  readonly driverVersion: string;
  readonly container: ServerContainer;
}

/** The driver's libraries for one container. */
export interface DriverLibraries {
  readonly mounts: readonly Mount[];
  /** SONAMEs and the like, so that libraries are found even where ldconfig cannot run. */
  readonly links: readonly Link[];
  /** The host's directory with the 64-bit libraries. */
  readonly hostDirectory: HostPath | undefined;
  /** The libcuda that the container gets. */
  readonly libcuda: HostPath | undefined;
  readonly findings: readonly Finding[];
}

/**
 * Finds the driver's libraries for the capabilities asked for, and where they go. The host's directories are
 * flattened: each library goes directly into the container's library directory.
 *
 * @throws {NvociError} `driver-mismatch` when an essential library is of another version than the kernel modules.
 */
export function discoverLibraries(search: LibrarySearch): DriverLibraries {
  const { root, driverVersion, container, architecture } = search;
  const capabilities = withImplied(search.capabilities);
  const wanted = new Map<string, DriverLibrary>();
  for (const library of DRIVER_LIBRARIES) {
    if (library.capabilities.some((one) => capabilities.has(one))) wanted.set(library.name, library);
  }
  const { candidates, findings } = libraryCandidates({ ...search, wanted: new Set(wanted.keys()) });
  const usable = capabilities.has("compat32") ? candidates : candidates.filter(({ bits }) => bits !== 32);
  const choice = chooseLibraries(root, usable, wanted, driverVersion);
  const chosen = choice.chosen.filter(({ bits }) => bits === 64 || capabilities.has("compat32"));
  const found = new Set(chosen.filter(({ bits }) => bits === 64).map(({ library }) => library));
  const missing = [...wanted.values()].filter((library) => !found.has(library));
  refuseMismatch(missing, choice.otherVersions, driverVersion);

  const mounts: Mount[] = [];
  const links = new Map<ContainerPath, Link>();
  for (const library of chosen) {
    const directory = libraryDirectory(container, architecture, library.bits);
    const path = containerPath(`${directory}/${basename(library.hostPath)}`);
    const { hostPath, source } = library;
    mounts.push({ hostPath, containerPath: path, kind: "file", options: FILE_OPTIONS, source });
    for (const link of [...convenienceLinks(path, source), ...nameLinks(root, library, path)]) {
      if (link.containerPath !== path && !links.has(link.containerPath)) links.set(link.containerPath, link);
    }
  }
  const first = chosen.find(({ library, bits }) => bits === 64 && !library.ownVersion);
  return {
    mounts,
    links: [...links.values()],
    hostDirectory: first && dirname(first.hostPath),
    libcuda: chosen.find(({ library, bits }) => bits === 64 && library.name === "libcuda.so")?.hostPath,
    findings: [
      ...findings,
      ...choice.findings,
      ...missing.map((library) => describeMissing(library, choice.otherVersions)),
    ],
  };
}

/** The names that the host has for the library; the library's own word where the host has none. */
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
      `Cannot use the NVIDIA driver "${version}": the kernel modules have this version, the host's library is ${other}`,
      ["restart the host, or reload the nvidia kernel modules, after an upgrade of the driver"],
    );
  }
}

function describeMissing(library: DriverLibrary, otherVersions: ReadonlyMap<string, HostPath>): Finding {
  const { name } = library;
  const other = otherVersions.get(name);
  if (other !== undefined) {
    const version = basename(other).slice(name.length + 1);
    return finding("driver-library-other-version", "info", `library ${name}`, { name, path: other, version });
  }
  return finding("driver-library-missing", library.essential ? "warning" : "info", `library ${name}`, {
    name,
    capability: library.capabilities.join(", "),
  });
}
