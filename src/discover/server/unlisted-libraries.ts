import { DRIVER_LIBRARIES, LEFT_OUT_LIBRARIES, UNLISTED_CAPABILITIES } from "../../driver/facts/libraries.ts";
import { finding } from "../../model/finding.ts";
import { basename, below, dirname, type HostPath } from "../../model/paths.ts";
import type { ChosenLibrary } from "./choose-libraries.ts";
import { type LibraryServer, libraryStem } from "./library-candidates.ts";

/** The names that the tables contain, up to and including `.so`. */
const LISTED: ReadonlySet<string> = new Set([
  ...DRIVER_LIBRARIES.map(({ name }) => name),
  ...LEFT_OUT_LIBRARIES,
]);

/**
 * Finds the libraries of the running driver that no table names: `lib*.so.VERSION` beside those that the container
 * gets. A new driver may need its new libraries, and does not need a new nvoci. Reports their names.
 *
 * @param chosen the libraries that the container gets.
 */
export function unlistedLibraries(
  { root, capabilities, version, report }: LibraryServer,
  chosen: readonly ChosenLibrary[],
): readonly ChosenLibrary[] {
  if (!UNLISTED_CAPABILITIES.some((one) => capabilities.has(one))) return [];
  const ending = `.so.${version}`;
  const found: ChosenLibrary[] = [];
  for (const [directory, bits] of driverDirectories(chosen)) {
    const names = root.host.readDirectory(directory, ending) ?? [];
    for (const name of names.filter((one) => one.startsWith("lib")).sort()) {
      const path = below(directory, `/${name}`);
      const hostPath = LISTED.has(libraryStem(name)) ? undefined : root.resolve(root.inside(path));
      if (hostPath === undefined) continue;
      const library = { name: libraryStem(name), capabilities: UNLISTED_CAPABILITIES };
      // Some packages give the file its SONAME, and make the name with the version a link to it.
      const links = new Set(basename(hostPath) === name ? [] : [name]);
      found.push({ library, bits, hostPath, names: links, source: `library ${path}` });
    }
  }
  if (found.length > 0) {
    const names = [...new Set(found.map(({ library }) => `${library.name}.${version}`))];
    report(finding("driver-library-unlisted", "info", "libraries of the driver", { names }));
  }
  return found;
}

/** Returns the directories of the libraries whose files have the driver's version, and the word size of each one. */
function driverDirectories(chosen: readonly ChosenLibrary[]): ReadonlyMap<HostPath, ChosenLibrary["bits"]> {
  const own = chosen.filter(({ library }) => !library.ownVersion && !library.vendorNeutral);
  return new Map(own.map(({ hostPath, bits }) => [dirname(hostPath), bits]));
}
