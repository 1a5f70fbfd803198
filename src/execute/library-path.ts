import { hasWildcard, matchGlob } from "../discover/match-glob.ts";
import type { ImageView } from "../model/image-view.ts";
import { type Arch, machineOf } from "../model/machine.ts";
import { basename, containerPath, dirname, join } from "../model/paths.ts";
import { decodeUtf8 } from "../model/utf8.ts";

/** The image's own configuration: a page of text in practice. What goes beyond these bounds is left out. */
const MAX_FILE_BYTES = 64 * 1024;
const MAX_FILES = 64;
const MAX_INCLUDES = 64;
const MAX_LINE = 1024;
const MAX_DIRECTORIES = 256;
const MAX_NAMES = 4096;

const LINE_FEED = 10;

/**
 * Reads which directories an image's ld.so.conf names, in the order in which ldconfig(8) would look at them.
 *
 * The file is an attacker's, and ldconfig follows what is in it without a bound: an `include` of itself, or of a
 * FIFO. So it is read here, where every read is bounded and nothing waits or leads out of the root, and ldconfig gets
 * to see nothing but directories. Lines that are not UTF-8 are left out.
 *
 * @returns directories in normal form.
 * @see ldconfig(8)
 */
export function readLibraryPath(root: ImageView): ReadonlySet<string> {
  const directories = new Set<string>();
  const seen = new Set<string>();
  let includes = 0;
  function read(file: string): void {
    if (seen.has(file) || seen.size >= MAX_FILES) return;
    seen.add(file);
    for (const line of shortLines(root.readFile(containerPath(file), MAX_FILE_BYTES) ?? new Uint8Array())) {
      const [word = "", ...patterns] = line
        .replace(/[#\0].*/, "")
        .trim()
        .split(/[ \t]+/);
      if (word === "include") {
        for (const pattern of patterns) {
          if (includes++ < MAX_INCLUDES) expandInclude(root, join(dirname(file), pattern)).forEach(read);
        }
      } else if (word.startsWith("/") && directories.size < MAX_DIRECTORIES) {
        directories.add(withoutTrailingSlashes([word, ...patterns].join(" ")));
      }
    }
  }
  read("/etc/ld.so.conf");
  return directories;
}

/** As a regular expression, this would take quadratic time for slashes that do not end the text. */
function withoutTrailingSlashes(path: string): string {
  let end = path.length;
  while (end > 1 && path[end - 1] === "/") end--;
  return path.slice(0, end);
}

/** The lines of a text without those that are too long to be meant, or not UTF-8. */
function shortLines(bytes: Uint8Array): string[] {
  const lines: string[] = [];
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(LINE_FEED, start);
    const end = found < 0 ? bytes.length : found;
    if (end - start <= MAX_LINE) lines.push(decodeUtf8(bytes, start, end) ?? "");
    start = end + 1;
  }
  return lines;
}

/** The files that an `include` line means, sorted as glob(3) sorts them. Wildcards count in the last part only. */
function expandInclude(root: ImageView, path: string): string[] {
  const pattern = basename(path);
  if (!hasWildcard(pattern)) return [path];
  return root
    .readDirectory(containerPath(dirname(path)), MAX_NAMES)
    .filter((name) => matchGlob(pattern, name))
    .sort()
    .slice(0, MAX_FILES)
    .map((name) => join(dirname(path), name));
}

/** What the dynamic linkers of the common distributions search on their own. */
const SYSTEM_DIRECTORIES = ["/lib", "/usr/lib", "/lib64", "/usr/lib64"];

/** The default directories of the image, its multiarch ones first. The host's ldconfig knows only the host's. */
export function systemDirectories(root: ImageView, arch: Arch): string[] {
  const { triplet } = machineOf(arch);
  const multiarch = [`/lib/${triplet}`, `/usr/lib/${triplet}`];
  return [...multiarch, ...SYSTEM_DIRECTORIES].filter(
    (directory) => root.type(containerPath(directory)) === "directory",
  );
}

/**
 * The directories that ldconfig is to look into: the one with the image's forward compatibility, injected ones that the
 * image does not name itself, then everything that the image names, in its order, then the default ones.
 */
export function searchOrder(
  folders: readonly string[],
  compatFolder: string | undefined,
  named: ReadonlySet<string>,
  system: readonly string[],
): string[] {
  const compat = compatFolder === undefined ? [] : [compatFolder];
  const first = folders.filter((folder) => !named.has(folder) && !system.includes(folder));
  return [...compat, ...first, ...named, ...system];
}
