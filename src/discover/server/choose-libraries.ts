import { ignorable } from "../../model/errors.ts";
import { type Finding, finding, type Source } from "../../model/finding.ts";
import { basename, below, dirname, type HostPath } from "../../model/paths.ts";
import { abiTag } from "../elf/driver-notes.ts";
import { readDynamic } from "../elf/elf-dynamic.ts";
import { readNotes } from "../elf/elf-notes.ts";
import { type Elf, readElf } from "../elf/read-elf.ts";
import type { DriverRoot } from "./driver-root.ts";
import { fileReader } from "./file-reader.ts";
import type { LibraryCandidate } from "./library-candidates.ts";
import { type DriverLibrary, libraryStem } from "./library-table.ts";

/** The file that a container gets for one wanted library. */
export interface ChosenLibrary {
  readonly library: DriverLibrary;
  readonly bits: 32 | 64;
  /** The real file. */
  readonly hostPath: HostPath;
  /** Names that the host finds it by; empty where only the library itself can tell. */
  readonly names: ReadonlySet<string>;
  readonly source: Source;
}

/** What was chosen, and what was not. */
export interface LibraryChoice {
  readonly chosen: readonly ChosenLibrary[];
  /** Wanted names that come with other versions of the driver only, with one such file each. */
  readonly otherVersions: ReadonlyMap<string, HostPath>;
  readonly findings: readonly Finding[];
}

type Chosen = ChosenLibrary & { readonly names: Set<string> };

/** Old drivers had a second libnvidia-tls, for kernels that are no longer used. */
const TLS_KERNEL = "2.3.99";

/** Libraries that tell that another one is NVIDIA's. */
const VENDOR_LIBRARIES = ["libnvidia-glcore.so", "libnvidia-eglcore.so"];

const MACHINE_BITS: Readonly<Record<number, 32 | 64>> = { 3: 32, 40: 32, 62: 64, 183: 64 };

/**
 * Chooses one file for each wanted library: of the driver's own version where the name has one, and the last of
 * several. A file that cannot be read is passed over with a finding.
 *
 * @param wanted by their names
 * @param version of the kernel modules, which refuse to work with libraries of another.
 */
export function chooseLibraries(
  root: DriverRoot,
  candidates: readonly LibraryCandidate[],
  wanted: ReadonlyMap<string, DriverLibrary>,
  version: string,
): LibraryChoice {
  const chosen = new Map<string, Chosen>();
  const otherVersions = new Map<string, HostPath>();
  const findings: Finding[] = [];
  const namesOf = new Map<string, Set<string>>();

  for (const candidate of candidates) {
    const { name, path, source } = candidate;
    const library = wanted.get(libraryStem(name));
    if (library === undefined) continue;
    const found = root.resolve(path);
    if (found === undefined) {
      findings.push(finding("driver-library-stale", "warning", source, { name, path }));
      continue;
    }
    const real = ofVersion(root, found, library, version);
    if (real === undefined) {
      if (!library.vendorNeutral) otherVersions.set(library.name, found);
      continue;
    }
    const names = namesOf.get(real) ?? new Set();
    namesOf.set(real, names);
    // A file's name says nothing of its SONAME, nor does that of another version.
    if (name !== basename(found) || (candidate.cached && real === found)) names.add(name);

    const candidateFile = { library, hostPath: real, names, source };
    const problem = choose(chosen, candidateFile, lazyElf(root, real), candidate.bits);
    if (problem !== undefined) findings.push(problem);
  }
  for (const { library, bits } of chosen.values()) if (bits === 64) otherVersions.delete(library.name);
  return { chosen: [...chosen.values()], otherVersions, findings };
}

/**
 * Puts a file in the place of what was chosen before, unless it is not NVIDIA's or not for this kernel.
 *
 * @returns why the file cannot be read.
 */
function choose(
  chosen: Map<string, Chosen>,
  candidate: Omit<Chosen, "bits">,
  elf: () => Elf,
  knownBits: 32 | 64 | undefined,
): Finding | undefined {
  const { library, hostPath, source } = candidate;
  try {
    const bits = knownBits ?? MACHINE_BITS[elf().machine];
    if (bits === undefined) return undefined;
    const key = `${bits} ${library.name}`;
    const rival = chosen.get(key);
    if (rival?.hostPath === hostPath) return undefined;
    if (library.vendorNeutral && !needsVendor(elf())) return undefined;
    if (rival !== undefined && library.name === "libnvidia-tls.so" && !isForThisKernel(elf()))
      return undefined;
    chosen.set(key, { ...candidate, bits });
    return undefined;
  } catch (error) {
    const args = { path: hostPath, reason: ignorable(error).message };
    return finding("driver-library-unreadable", "warning", source, args);
  }
}

/**
 * The file itself where it is of the driver's version, else that of the version in the same directory. Of two that lie there, the cache names the newer one, whatever
 * the kernel modules are: an upgrade of the driver without a restart.
 */
function ofVersion(
  root: DriverRoot,
  other: HostPath,
  { name, vendorNeutral, ownVersion }: DriverLibrary,
  version: string,
): HostPath | undefined {
  if (ownVersion || basename(other).endsWith(`.${version}`)) return other;
  if (vendorNeutral || !basename(other).startsWith(name)) return undefined;
  const path = below(dirname(other), `/${name}.${version}`);
  return root.host.lstat(path)?.type === "file" ? path : undefined;
}

/** Opens the file when it is first looked into, which for most libraries is never. */
function lazyElf(root: DriverRoot, path: HostPath): () => Elf {
  let elf: Elf | undefined;
  return () => {
    elf ??= readElf(path, fileReader(root.host, path));
    return elf;
  };
}

const needsVendor = (elf: Elf): boolean =>
  readDynamic(elf).needed.some((name) => VENDOR_LIBRARIES.some((vendor) => name.startsWith(vendor)));

function isForThisKernel(elf: Elf): boolean {
  const tag = abiTag(readNotes(elf));
  return tag?.system === 0 && tag.version === TLS_KERNEL;
}
