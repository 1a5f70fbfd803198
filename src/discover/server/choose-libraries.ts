import { type DriverLibrary, VENDOR_LIBRARIES } from "../../driver/facts/libraries.ts";
import { abiTag, readNotes } from "../../elf/driver-notes.ts";
import { readDynamic } from "../../elf/elf-dynamic.ts";
import { type Elf, readHostElf } from "../../elf/read-elf.ts";
import { ignorable } from "../../model/errors.ts";
import { type Finding, finding, type Source } from "../../model/finding.ts";
import type { Machine } from "../../model/machine.ts";
import { basename, below, dirname, type HostPath } from "../../model/paths.ts";
import type { DriverRoot } from "./driver-root.ts";
import { type LibraryCandidate, type LibraryServer, libraryStem } from "./library-candidates.ts";

/** The file that a container gets for a wanted library. */
export interface ChosenLibrary {
  readonly library: DriverLibrary;
  readonly bits: 32 | 64;
  /** The real file. */
  readonly hostPath: HostPath;
  /** Names by which the host finds it; empty when only the file itself contains one. */
  readonly names: ReadonlySet<string>;
  readonly source: Source;
}

/** The chosen libraries, and those that exist only in other versions. */
interface LibraryChoice {
  readonly chosen: readonly ChosenLibrary[];
  /** Wanted names that exist only in other versions of the driver, with one such file each. */
  readonly otherVersions: ReadonlyMap<string, HostPath>;
}

type Chosen = ChosenLibrary & { readonly names: Set<string> };

/**
 * ABI version that marks the usable one of the two libnvidia-tls of old drivers; the other is for obsolete
 * kernels.
 */
const TLS_KERNEL = "2.3.99";

/**
 * Chooses one file for each wanted library: a file of the driver's version if the name contains one, and the last
 * of several. Reports and skips files that it cannot read.
 *
 * The kernel modules refuse to work with libraries of a different version.
 *
 * @param wanted the libraries by name.
 */
export function chooseLibraries(
  { root, machine, version, report }: LibraryServer,
  candidates: readonly LibraryCandidate[],
  wanted: ReadonlyMap<string, DriverLibrary>,
): LibraryChoice {
  const chosen = new Map<string, Chosen>();
  const otherVersions = new Map<string, HostPath>();
  const namesOf = new Map<string, Set<string>>();

  for (const candidate of candidates) {
    const { name, path, source } = candidate;
    const library = wanted.get(libraryStem(name));
    if (library === undefined) continue;
    const found = root.resolve(path);
    if (found === undefined) {
      report(finding("driver-library-stale", "warning", source, { name, path }));
      continue;
    }
    const real = ofVersion(root, found, library, version);
    if (real === undefined) {
      if (!library.vendorNeutral) otherVersions.set(library.name, found);
      continue;
    }
    const names = namesOf.get(real) ?? new Set();
    namesOf.set(real, names);
    for (const one of namesIn(candidate, library, found, real, version)) names.add(one);

    const candidateFile = { library, hostPath: real, names, source };
    const elf = lazyElf(root, real);
    const problem = choose(
      chosen,
      candidateFile,
      elf,
      () => candidate.bits ?? bitsOf(machine, elf().machine),
    );
    if (problem !== undefined) report(problem);
  }
  for (const { library, bits } of chosen.values()) if (bits === 64) otherVersions.delete(library.name);
  return { chosen: [...chosen.values()], otherVersions };
}

/**
 * Returns the names by which programs look for a candidate's file, as far as the candidate shows. A file's name does
 * not reveal its SONAME, and neither does the name of another version.
 *
 * @param found the file that the candidate's path leads to.
 * @param real the file of the driver's version.
 */
function namesIn(
  { name, cached }: LibraryCandidate,
  library: DriverLibrary,
  found: HostPath,
  real: HostPath,
  version: string,
): readonly string[] {
  const names = name !== basename(found) || (cached && real === found) ? [name] : [];
  return library.ownVersion || isOfVersion(real, version) ? names : [...names, `${library.name}.${version}`];
}

/**
 * Replaces the previous choice by a file, unless the file is not NVIDIA's or not for this kernel.
 *
 * @returns a finding when the file cannot be read.
 */
function choose(
  chosen: Map<string, Chosen>,
  candidate: Omit<Chosen, "bits">,
  elf: () => Elf,
  bitsOfFile: () => 32 | 64 | undefined,
): Finding | undefined {
  const { library, source } = candidate;
  try {
    const bits = bitsOfFile();
    if (bits === undefined) return undefined;
    const key = `${bits} ${library.name}`;
    const rival = chosen.get(key);
    if (rival?.hostPath === candidate.hostPath) return undefined;
    if (library.vendorNeutral && !needsVendor(elf())) return undefined;
    if (rival !== undefined && library.name === "libnvidia-tls.so" && !isForThisKernel(elf()))
      return undefined;
    chosen.set(key, { ...candidate, bits });
    return undefined;
  } catch (error) {
    const args = { path: candidate.hostPath, reason: ignorable(error).message };
    return finding("driver-library-unreadable", "warning", source, args);
  }
}

const isOfVersion = (file: HostPath, version: string): boolean => basename(file).endsWith(`.${version}`);

/**
 * Returns the file itself if it has the driver's version, else the file of that version beside it. When two
 * versions are installed, the cache names the newer, even if the loaded modules are older: after an upgrade
 * without a restart.
 *
 * Some packages give the file its SONAME, and make the name with the version a link to it.
 *
 * @see https://github.com/negativo17/nvidia-driver/issues/195
 */
function ofVersion(
  root: DriverRoot,
  other: HostPath,
  { name, vendorNeutral, ownVersion }: DriverLibrary,
  version: string,
): HostPath | undefined {
  if (ownVersion || isOfVersion(other, version)) return other;
  if (vendorNeutral || !basename(other).startsWith(name)) return undefined;
  return root.resolve(root.inside(below(dirname(other), `/${name}.${version}`)));
}

/** Opens the file on first use, which for most libraries is never. */
function lazyElf(root: DriverRoot, path: HostPath): () => Elf {
  let elf: Elf | undefined;
  return () => {
    elf ??= readHostElf(root.host, path);
    return elf;
  };
}

/** Returns the word size of an ELF machine type; `undefined` for types that this machine does not run. */
const bitsOf = ({ elf, compat32 }: Machine, type: number): 32 | 64 | undefined =>
  type === elf ? 64 : type === compat32.elf ? 32 : undefined;

const needsVendor = (elf: Elf): boolean =>
  readDynamic(elf).needed.some((name) => VENDOR_LIBRARIES.some((vendor) => name.startsWith(vendor)));

function isForThisKernel(elf: Elf): boolean {
  const tag = abiTag(readNotes(elf));
  return tag?.system === 0 && tag.version === TLS_KERNEL;
}
