import { COMPAT32, type HostArchitecture } from "../../ldcache/architecture.ts";
import { decodeLdCache } from "../../ldcache/decode-ld-cache.ts";
import { append } from "../../model/append.ts";
import { ignorable } from "../../model/errors.ts";
import { type Finding, finding, type Source } from "../../model/finding.ts";
import { dirname, type HostPath, hostPath } from "../../model/paths.ts";
import { MULTIARCH } from "./container-directories.ts";
import type { DriverRoot } from "./driver-root.ts";
import { libraryStem } from "./library-table.ts";

/** A library of the host that has the name of one that is wanted. */
export interface LibraryCandidate {
  /** Its SONAME where the cache names it, else the name of a file, which may be another. */
  readonly name: string;
  readonly cached: boolean;
  /** Inside the driver root; may be a symbolic link. */
  readonly path: string;
  /** `undefined` where only the file itself can tell. */
  readonly bits: 32 | 64 | undefined;
  readonly source: Source;
}

const LD_CACHE = hostPath("/etc/ld.so.cache");

/** Where drivers are on hosts that keep no cache, and on those whose cache knows nothing of the driver. */
const standardDirectories = (architecture: HostArchitecture): readonly string[] => [
  "/usr/lib",
  "/usr/lib64",
  `/usr/lib/${MULTIARCH[architecture]}`,
  `/usr/lib/${MULTIARCH[architecture]}/nvidia/current`,
  "/usr/lib/nvidia",
  "/usr/lib32",
  `/usr/lib/${MULTIARCH[COMPAT32[architecture]]}`,
  "/lib",
  "/lib64",
  "/usr/local/lib",
  "/usr/local/nvidia/lib64",
  "/run/opengl-driver/lib",
];

/** Directories in which each library is of one width, whatever its machine. */
const NARROW = /\/(?:lib32|i386-linux-gnu|arm-linux-gnueabihf)(?:\/|$)/;
const WIDE = /\/(?:lib64|x86_64-linux-gnu|aarch64-linux-gnu)(?:\/|$)/;

/** What {@link libraryCandidates} is told. */
export interface CandidateSearch {
  readonly root: DriverRoot;
  readonly architecture: HostArchitecture;
  readonly ldCache?: HostPath | undefined;
  readonly librarySearchPaths?: readonly HostPath[] | undefined;
  /** Names up to and with `.so`. */
  readonly wanted: ReadonlySet<string>;
}

/**
 * Every library of the host that has a wanted name: those in the dynamic linker's cache, then those in the
 * directories that were given. Of several that fit, later ones are preferred.
 *
 * The standard directories are searched only where the cache is missing, broken or has no such library.
 */
export function libraryCandidates(search: CandidateSearch): {
  readonly candidates: readonly LibraryCandidate[];
  readonly findings: readonly Finding[];
} {
  const findings: Finding[] = [];
  const candidates = cachedLibraries(search, findings);
  if (candidates.length === 0) {
    append(
      candidates,
      standardDirectories(search.architecture).flatMap((path) => listLibraries(search, path)),
    );
  }
  append(candidates, vdpauModules(search, candidates));
  append(
    candidates,
    (search.librarySearchPaths ?? []).flatMap((path) => listLibraries(search, path)),
  );
  return { candidates, findings };
}

function cachedLibraries(search: CandidateSearch, findings: Finding[]): LibraryCandidate[] {
  const { root, architecture, wanted } = search;
  const file = search.ldCache ?? LD_CACHE;
  const real = root.resolve(file);
  const candidates: LibraryCandidate[] = [];
  try {
    const bytes = real && root.host.readFile(real);
    if (bytes === undefined) {
      findings.push(finding("ldcache-missing", "info", file, { file }));
      return [];
    }
    const { entries } = decodeLdCache(bytes, { file, prefixes: [...wanted] });
    for (const { name, path, architecture: machine } of entries) {
      if (!wanted.has(libraryStem(name))) continue;
      const bits = machine === architecture ? 64 : machine === COMPAT32[architecture] ? 32 : undefined;
      if (bits !== undefined)
        candidates.push({ name, cached: true, path, bits, source: `ld.so.cache entry ${name}` });
    }
  } catch (error) {
    const reason = ignorable(error).message;
    findings.push(finding("ldcache-invalid", "warning", file, { file, reason }));
    return [];
  }
  return candidates;
}

/** Modules of VDPAU lie in a directory of their own below the libraries, which no cache lists. */
function vdpauModules(search: CandidateSearch, found: readonly LibraryCandidate[]): LibraryCandidate[] {
  if (!search.wanted.has("libvdpau_nvidia.so")) return [];
  const directories = new Map(found.map(({ path, bits }) => [`${dirname(path)}/vdpau`, bits]));
  return [...directories].flatMap(([directory, bits]) =>
    listLibraries(search, directory).map((candidate) => ({ ...candidate, bits })),
  );
}

function listLibraries({ root, wanted }: CandidateSearch, directory: string): LibraryCandidate[] {
  const bits = NARROW.test(directory) ? 32 : WIDE.test(directory) ? 64 : undefined;
  return root
    .list(directory)
    .filter((name) => wanted.has(libraryStem(name)))
    .map((name) => {
      const path = `${directory}/${name}`;
      return { name, cached: false, path, bits, source: `library ${path}` };
    });
}
