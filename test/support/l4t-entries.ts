import { basename, dirname, join, relative } from "node:path/posix";
import { sharedObject } from "./shared-object.ts";
import type { TreeEntry } from "./tree-entry.ts";

/** What a host has of the things that its manifests list. */
export interface L4tOptions {
  /** Leaves out every third entry, as a board does that a manifest was not written for alone. */
  readonly lacking?: boolean;
  /** Link texts that the names do not tell: path to text. */
  readonly links?: Readonly<Record<string, string>>;
  /** A path put before that of every `lib`, `sym` and `dir` entry: an alternate root. */
  readonly root?: string;
}

/** A character major that Linux leaves to local use: opening such a node gives ENXIO, or EPERM by the cgroup. */
const LOCAL_MAJOR = 60;

const GID_VIDEO = 44;

/** Nodes that the machine itself needs; what a manifest lists of them is there without us. */
const EVERYWHERE = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/**
 * The files that manifest lines ask for: shared objects with their SONAME, links in L4T's manner, directories with
 * two files in them, and device nodes without a driver. The same lines give the same entries. Where lines contradict
 * each other, the first counts; nodes that every machine has are left out.
 *
 * @param lines lines of one or more manifests; what is not `dev|lib|sym|dir, path`, or relative, is left out.
 */
export function l4tEntries(lines: readonly string[], options: L4tOptions = {}): TreeEntry[] {
  const listed = parseLines(lines);
  const links = new Map<string, string>();
  for (const { type, path } of listed) if (type === "sym") links.set(path, linkText(path, listed, options));

  const entries = new Map<string, TreeEntry>();
  let minor = 0;
  for (const { type, path } of options.lacking === true ? listed.filter((_, at) => at % 3 !== 2) : listed) {
    const place = (options.root ?? "") + throughLinks(path, links);
    const target = links.get(path);
    if (type === "dev") {
      const names = instances(device(path)).filter((name) => !EVERYWHERE.includes(name));
      for (const name of names) entries.set(name, node(name, minor++));
    } else if (type === "dir") {
      if (entries.has(place)) continue;
      entries.set(place, { kind: "directory", path: place });
      for (const name of ["first", "below/second"]) addFile(entries, `${place}/${name}`);
    } else if (target === undefined) for (const name of instances(place)) addFile(entries, name);
    else {
      entries.set(place, { kind: "link", path: place, target });
      if (target === fallbackTarget(path)) addFile(entries, join(dirname(place), target));
    }
  }
  return [...entries.values()];
}

/** A bare name means a node in /dev, as on R32's first release. */
const device = (path: string): string => (path.startsWith("/") ? path : `/dev/${path}`);

function node(path: string, minor: number): TreeEntry {
  const shared = path.startsWith("/dev/dri/");
  return {
    kind: "device",
    path,
    major: LOCAL_MAJOR,
    minor,
    mode: shared ? 0o660 : 0o666,
    gid: shared ? GID_VIDEO : 0,
  };
}

function addFile(entries: Map<string, TreeEntry>, path: string): void {
  const soname = /^lib.*\.so(?:\.\d+)?/.exec(basename(path))?.[0];
  const tail = `content of ${path}\n`;
  const there = entries.get(path)?.kind;
  if (there === "link" || there === "directory") return;
  entries.set(path, {
    kind: "file",
    path,
    content: soname === undefined ? tail : sharedObject(soname, { tail }),
  });
}

type Listed = { readonly type: string; readonly path: string };

function parseLines(lines: readonly string[]): Listed[] {
  const listed: Listed[] = [];
  for (const line of lines) {
    const match = /^\s*(?:(dev)|(lib|sym|dir)(?=\s*,\s*\/))\s*,\s*(\S.*?)\s*$/.exec(line);
    if (match) listed.push({ type: match[1] ?? match[2] ?? "", path: (match[3] ?? "").replace(/\/+/g, "/") });
  }
  return listed;
}

/** Two things for a pattern, one for a plain path. */
const instances = (path: string): string[] =>
  /[*?[]/.test(path) ? ["0", "1"].map((digit) => path.replace(/\*|\?|\[[^\]]*\]/g, digit)) : [path];

const fallbackTarget = (path: string): string => `${basename(path)}.target`;

/** `libx.so` leads to the shortest longer name that is listed, which makes chains; other names to their namesake. */
function linkText(path: string, listed: readonly Listed[], options: L4tOptions): string {
  const given = options.links?.[path];
  if (given !== undefined) return given;
  const directory = dirname(path);
  if (basename(path) === "tegra" && listed.some((other) => other.path.startsWith(`${directory}/nvidia/`))) {
    return "nvidia";
  }
  const below = listed.filter((other) => other.type !== "dev" && other.type !== "dir" && other.path !== path);
  const longer = below
    .filter((other) => basename(other.path).startsWith(`${basename(path)}.`))
    .sort((a, b) => distance(a, directory) - distance(b, directory) || a.path.length - b.path.length);
  const namesake = below.find((other) => other.type === "lib" && basename(other.path) === basename(path));
  const target = longer[0] ?? namesake;
  if (target === undefined) return fallbackTarget(path);
  // `/lib` may be a link itself, so `..` is counted within one top directory only.
  const sameTop = target.path.split("/")[1] === path.split("/")[1];
  return sameTop ? relative(directory, target.path) : target.path;
}

const distance = (listed: Listed, directory: string): number => (dirname(listed.path) === directory ? 0 : 1);

/** Where a path lies once links to listed directories are followed, so that nothing is written through a link. */
function throughLinks(path: string, links: ReadonlyMap<string, string>): string {
  for (let parent = dirname(path); parent.length > 1; parent = dirname(parent)) {
    const text = links.get(parent);
    if (text !== undefined) {
      return throughLinks(join(dirname(parent), text, path.slice(parent.length)), links);
    }
  }
  return path;
}
