import { libraryDirectories } from "../../driver/facts/libraries.ts";
import { decodeLdCache } from "../../ldcache/decode-ld-cache.ts";
import { append } from "../../model/budget.ts";
import { ignorable } from "../../model/errors.ts";
import { finding, type Source } from "../../model/finding.ts";
import { dirname, hostPath } from "../../model/paths.ts";
import type { Server } from "./server.ts";

/** A library of the host with a wanted name. */
export interface LibraryCandidate {
  /** Its SONAME if the cache lists it, else the file's name, which may differ. */
  readonly name: string;
  readonly cached: boolean;
  /** Path inside the driver root; may be a symbolic link. */
  readonly path: string;
  /** `undefined` when only the file itself contains it. */
  readonly bits: 32 | 64 | undefined;
  readonly source: Source;
}

const LD_CACHE = hostPath("/etc/ld.so.cache");

/** Directories whose libraries all have one word size, on any machine. */
const NARROW = /\/(?:lib32|i386-linux-gnu|arm-linux-gnueabihf|opengl-driver-32\/lib)(?:\/|$)/;
const WIDE =
  /\/(?:lib64|x86_64-linux-gnu|aarch64-linux-gnu|opengl-driver\/lib|current-system\/profile\/lib)(?:\/|$)/;

/** The facts about a server that the search for libraries needs. */
export type LibraryServer = Pick<
  Server,
  "host" | "machine" | "config" | "capabilities" | "root" | "version" | "report"
>;

/**
 * Returns a library's name up to and including `.so`, as in the table; the name unchanged when it has no `.so`.
 */
export function libraryStem(name: string): string {
  const at = name.indexOf(".so");
  return at < 0 ? name : name.slice(0, at + 3);
}

/** Names up to and including `.so`. */
type Wanted = ReadonlySet<string>;

/**
 * Lists every library of the host with a wanted name: those in the dynamic linker's cache, then those in the
 * configured directories. Later ones take precedence.
 *
 * Searches the standard directories only if the cache is missing, broken or has no such library.
 */
export function libraryCandidates(server: LibraryServer, wanted: Wanted): readonly LibraryCandidate[] {
  const list = (path: string): LibraryCandidate[] => listLibraries(server, wanted, path);
  const candidates = cachedLibraries(server, wanted);
  if (candidates.length === 0) append(candidates, libraryDirectories(server.machine).flatMap(list));
  append(candidates, vdpauModules(server, wanted, candidates));
  append(candidates, server.config.nvoci.librarySearchPaths.flatMap(list));
  return candidates;
}

function cachedLibraries(server: LibraryServer, wanted: Wanted): LibraryCandidate[] {
  const { root, machine, config, report } = server;
  const file = config.nvidiaContainerCli.ldcache ?? LD_CACHE;
  const real = root.resolve(file);
  const candidates: LibraryCandidate[] = [];
  try {
    const bytes = real && root.host.readFile(real);
    if (bytes === undefined) {
      report(finding("ldcache-missing", "info", file, { file }));
      return [];
    }
    const entries = decodeLdCache(bytes, { file, prefixes: [...wanted] });
    for (const { name, path, architecture } of entries) {
      if (!wanted.has(libraryStem(name))) continue;
      const bits =
        architecture === machine.name ? 64 : architecture === machine.compat32.name ? 32 : undefined;
      if (bits !== undefined)
        candidates.push({ name, cached: true, path, bits, source: `ld.so.cache entry ${name}` });
    }
  } catch (error) {
    report(finding("ldcache-invalid", "warning", file, { file, reason: ignorable(error).message }));
    return [];
  }
  return candidates;
}

/** Lists the modules of VDPAU. They are in a directory below the libraries, which no cache lists. */
function vdpauModules(
  server: LibraryServer,
  wanted: Wanted,
  found: readonly LibraryCandidate[],
): LibraryCandidate[] {
  if (!wanted.has("libvdpau_nvidia.so")) return [];
  const directories = new Map(found.map(({ path, bits }) => [`${dirname(path)}/vdpau`, bits]));
  return [...directories].flatMap(([directory, bits]) =>
    listLibraries(server, wanted, directory).map((candidate) => ({ ...candidate, bits })),
  );
}

function listLibraries({ root }: LibraryServer, wanted: Wanted, directory: string): LibraryCandidate[] {
  const bits = NARROW.test(directory) ? 32 : WIDE.test(directory) ? 64 : undefined;
  return root
    .list(directory)
    .filter((name) => wanted.has(libraryStem(name)))
    .map((name) => {
      const path = `${directory}/${name}`;
      return { name, cached: false, path, bits, source: `library ${path}` };
    });
}
