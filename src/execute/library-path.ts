import { basename, join } from "../model/paths.ts";
import { decodeUtf8 } from "../model/utf8.ts";
import type { RootView } from "./root-view.ts";

/** The image's own configuration: a page of text in practice. What is larger is left to ldconfig. */
const MAX_FILE_BYTES = 64 * 1024;
const MAX_FILES = 64;

/** The name pattern of an `include` line; only `*` and `?` occur. Without a wildcard it is the name itself. */
function namePattern(glob: string): RegExp {
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replace(/\*/g, ".*").replace(/\?/g, ".")}$`);
}

/**
 * Reads which directories an image's ld.so.conf names, so that their order stays the image's choice. The file is an
 * attacker's: every read is bounded, nothing in it leads out of the root, and what it says decides about order alone.
 *
 * @returns directories as written, without a trailing slash.
 * @see ldconfig(8)
 */
export function readLibraryPath(root: RootView): ReadonlySet<string> {
  const directories = new Set<string>();
  const pending = ["/etc/ld.so.conf"];
  for (let read = 0; pending.length > 0 && read < MAX_FILES; read++) {
    const file = pending.shift() as string;
    const text = decodeUtf8(root.readFile(file, MAX_FILE_BYTES) ?? new Uint8Array()) ?? "";
    for (const line of text.split("\n")) {
      const entry = line.replace(/#.*/, "").trim();
      if (entry.startsWith("/")) directories.add(entry.replace(/\/+$/, ""));
      const [, glob] = /^include\s+(\S+)$/.exec(entry) ?? [];
      if (glob !== undefined) pending.push(...expandInclude(root, join("/etc", glob)));
    }
  }
  return directories;
}

function expandInclude(root: RootView, glob: string): string[] {
  const directory = glob.slice(0, glob.lastIndexOf("/"));
  const pattern = namePattern(basename(glob));
  return root
    .readDirectory(directory)
    .filter((name) => pattern.test(name))
    .sort()
    .slice(0, MAX_FILES)
    .map((name) => `${directory}/${name}`);
}

/** What the dynamic linkers of the common distributions search on their own. */
const SYSTEM_DIRECTORIES = ["/lib", "/usr/lib", "/lib64", "/usr/lib64"];

/** The default directories of the image, its multiarch ones first. The host's ldconfig knows only the host's. */
export function systemDirectories(root: RootView, arch: "x64" | "arm64"): string[] {
  const triplet = arch === "x64" ? "x86_64-linux-gnu" : "aarch64-linux-gnu";
  const multiarch = [`/lib/${triplet}`, `/usr/lib/${triplet}`];
  return [...multiarch, ...SYSTEM_DIRECTORIES].filter((directory) => root.hasDirectory(directory));
}

/**
 * The configuration that ldconfig is given: injected directories that the image does not name itself, then
 * everything that the image names, in its order, then the default directories.
 */
export function composeConfiguration(
  folders: readonly string[],
  named: ReadonlySet<string>,
  system: readonly string[],
): string {
  const first = folders.filter((folder) => !named.has(folder) && !system.includes(folder));
  return `${[...first, "include /etc/ld.so.conf", ...system].join("\n")}\n`;
}
