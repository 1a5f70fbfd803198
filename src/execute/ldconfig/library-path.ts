import type { Budget } from "../../model/budget.ts";
import { finding, type Report } from "../../model/finding.ts";
import { type Arch, machineOf } from "../../model/machine.ts";
import { basename, containerPath, dirname, join } from "../../model/paths.ts";
import type { ImageView } from "../../model/views.ts";
import { compileGlob, hasWildcard } from "../../text/match-glob.ts";
import { decodeUtf8 } from "../../text/utf8.ts";

/**
 * Bounds for all files of the image's ld.so.conf together, which is a page of text in practice. Anything beyond is
 * ignored.
 */
const MAX_BYTES = 64 * 1024;
const MAX_LINES = 4096;
const MAX_FILES = 64;
const MAX_INCLUDES = 64;
const MAX_DIRECTORIES = 256;
const MAX_NAMES = 4096;
/** Bounds one line. */
const MAX_LINE_BYTES = 1024;

const LINE_FEED = 10;

/**
 * Returns the directories that an image's ld.so.conf names.
 *
 * The file is hostile, and ldconfig follows it without a bound: an `include` of itself, or of a FIFO. So nvoci
 * reads it itself: nothing blocks or leads out of the root, all files together are bounded, and every comparison
 * with an `include` pattern spends the process's budget. ldconfig gets only directories. Lines that are not UTF-8
 * are ignored. Reaching a bound is a finding.
 *
 * @returns normalized directories without duplicates, in the order in which ldconfig(8) would search them.
 * @see ldconfig(8)
 */
export function readLibraryPath(root: ImageView, budget: Budget, report: Report): ReadonlySet<string> {
  const directories = new Set<string>();
  const seen = new Set<string>();
  const left = { bytes: MAX_BYTES, lines: MAX_LINES, includes: MAX_INCLUDES, names: MAX_NAMES };
  let isWhole = true;

  function read(file: string): void {
    if (seen.has(file)) return;
    if (seen.size === MAX_FILES || !budget.spend(1)) {
      isWhole = false;
      return;
    }
    seen.add(file);
    for (const line of linesOf(readBounded(file))) {
      if (left.lines-- <= 0 || !budget.spend(1)) {
        isWhole = false;
        return;
      }
      readLine(file, line);
    }
  }

  /** Reads a file, without the line that the bound cuts. */
  function readBounded(file: string): Uint8Array {
    const content = root.readFile(containerPath(file), left.bytes + 1) ?? new Uint8Array();
    const isCut = content.length > left.bytes;
    if (isCut) isWhole = false;
    const kept = isCut ? content.subarray(0, content.lastIndexOf(LINE_FEED) + 1) : content;
    left.bytes = isCut ? 0 : left.bytes - kept.length;
    return kept;
  }

  function readLine(file: string, line: string): void {
    const [word = "", ...others] = line
      .replace(/[#\0].*/, "")
      .trim()
      .split(/[ \t]+/);
    if (word === "include") {
      for (const pattern of others) expandInclude(join(dirname(file), pattern)).forEach(read);
    } else if (word.startsWith("/")) {
      if (directories.size < MAX_DIRECTORIES)
        directories.add(withoutTrailingSlashes([word, ...others].join(" ")));
      else isWhole = false;
    }
  }

  /**
   * Returns the files of an `include`, sorted as glob(3) sorts them. Wildcards match in the last component only.
   */
  function expandInclude(path: string): readonly string[] {
    if (left.includes-- <= 0) {
      isWhole = false;
      return [];
    }
    const pattern = basename(path);
    if (!hasWildcard(pattern)) return [path];
    const glob = compileGlob(pattern);
    const names = left.names > 0 ? root.readDirectory(containerPath(dirname(path)), left.names) : [];
    left.names -= names.length;
    if (left.names === 0) isWhole = false;
    const matching: string[] = [];
    for (const name of names) {
      if (!budget.spend(glob.cost(name))) {
        isWhole = false;
        break;
      }
      if (glob.matches(name)) matching.push(name);
    }
    return matching.sort().map((name) => join(dirname(path), name));
  }

  read("/etc/ld.so.conf");
  if (!isWhole) report(finding("container-limit", "warning", "ldconfig", { what: "ld.so.conf" }));
  return directories;
}

/** Removes trailing slashes. A regular expression would take quadratic time for slashes inside the text. */
function withoutTrailingSlashes(path: string): string {
  let end = path.length;
  while (end > 1 && path[end - 1] === "/") end--;
  return path.slice(0, end);
}

/** Yields the lines of a text, without empty and overlong ones. A line that is not UTF-8 becomes "". */
function* linesOf(bytes: Uint8Array): Generator<string> {
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(LINE_FEED, start);
    const end = found < 0 ? bytes.length : found;
    if (end > start && end - start <= MAX_LINE_BYTES) yield decodeUtf8(bytes, start, end) ?? "";
    start = end + 1;
  }
}

/** Directories that the dynamic linkers of common distributions search by default. */
const SYSTEM_DIRECTORIES = ["/lib", "/usr/lib", "/lib64", "/usr/lib64"];

/** Returns the image's default directories, multiarch ones first. The host's ldconfig knows only the host's. */
export function systemDirectories(root: ImageView, arch: Arch): string[] {
  const { triplet } = machineOf(arch);
  const multiarch = [`/lib/${triplet}`, `/usr/lib/${triplet}`];
  return [...multiarch, ...SYSTEM_DIRECTORIES].filter(
    (directory) => root.type(containerPath(directory)) === "directory",
  );
}

/**
 * Returns the directories that ldconfig searches: the image's forward-compatibility directory, injected
 * directories that the image does not name itself, the image's directories in its order, then the default ones.
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
