import { existsSync, lstatSync, mkdirSync, readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { CGROUP_V2_ONLY, openNamespace, type PrivateNamespace } from "./private-namespace.ts";
import { mustRun } from "./run-command.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { type TreeEntry, writeTree } from "./tree-entry.ts";

/** A host with more (or fewer) files than the real one has. It shows only inside namespaces opened from it. */
export interface FakeHost {
  /** The directory that holds the layer and what was written to it. */
  readonly directory: string;
  readonly entries: readonly TreeEntry[];
  /** Lays the entries over the real file system in the caller's own mount namespace, which must be a private one. */
  lay(): void;
  /** Opens a private mount namespace in which the entries lie over the real file system. */
  open(options?: FakeHostOptions): Promise<PrivateNamespace>;
  /**
   * Every path that something inside wrote, removed or changed on the fake host, sorted. Empty for a well-behaved
   * program. Always empty where the file system cannot hold an upper layer; writing fails with EROFS there.
   */
  changes(): readonly string[];
  remove(): void;
}

/** How the namespace looks besides its files. */
export interface FakeHostOptions {
  /** `v2` leaves nothing but cgroup v2 at `/sys/fs/cgroup`; `host` leaves it as it is. Default `host`. */
  readonly cgroup?: "host" | "v2";
}

/**
 * Makes a fake host: a tree laid over the real directories with overlayfs, in private namespaces only.
 *
 * Entries go below directories that the real root has (`/usr`, `/etc`, `/opt`, `/dev`, `/run`, …); `/lib` and its
 * like follow the real root's links. `/proc/driver` is replaced whole when an entry lies in it.
 */
export function createFakeHost(entries: readonly TreeEntry[]): FakeHost {
  const { path: directory, remove } = temporaryDirectory("host");
  const layer = join(directory, "layer");
  const upper = join(directory, "upper");
  const byPath = new Map(entries.map((entry) => [followRootLinks(entry.path), entry]));
  const placed = [...byPath].map(([path, entry]) => ({ ...entry, path }));
  mkdirSync(layer);
  writeTree(layer, placed);
  const tops = readdirSync(layer).sort();
  const setup = tops.flatMap((top) => (top === "proc" ? bindProc(layer) : overlay(directory, top)));
  return {
    directory,
    entries: [...byPath.values()],
    lay: () => void mustRun(["sh", "-ec", setup.join("\n")]),
    open: (options = {}) => openNamespace([...setup, ...(options.cgroup === "v2" ? CGROUP_V2_ONLY : [])]),
    changes: () => (existsSync(upper) ? listFiles(upper, "") : []),
    remove,
  };
}

function overlay(directory: string, top: string): string[] {
  const upper = join(directory, "upper", top);
  const work = join(directory, "work", top);
  mkdirSync(upper, { recursive: true });
  mkdirSync(work, { recursive: true });
  const lower = `lowerdir=${directory}/layer/${top}:/${top}`;
  const mount = `mount -t overlay overlay -o ${lower}`;
  const lines = [`${mount},upperdir=${upper},workdir=${work} /${top} 2>/dev/null || ${mount} /${top}`];
  if (top !== "dev") return lines;
  // An overlay shows one file system: what is mounted below the real /dev has to be carried over.
  const carried = ["pts", "shm"];
  for (const name of carried) mkdirSync(join(directory, "carried", name), { recursive: true });
  const save = carried.map((name) => `mount --bind /dev/${name} ${directory}/carried/${name}`);
  const restore = carried.map((name) => `mount --move ${directory}/carried/${name} /dev/${name}`);
  return [...save, ...lines, ...restore];
}

const bindProc = (layer: string): string[] => [`mount --bind ${layer}/proc/driver /proc/driver`];

/** Whether something can be laid over the host at a path: only below directories that the real root has. */
export function canLayOver(path: string): boolean {
  const [, top = "", ...rest] = path.split("/");
  return rest.length > 0 && existsSync(`/${top}`);
}

function followRootLinks(path: string): string {
  const [, top = "", ...rest] = path.split("/");
  if (!canLayOver(path)) throw new Error(`Cannot lay "${path}" over the host: there is no /${top}`);
  return lstatSync(`/${top}`).isSymbolicLink() ? join(realpathSync(`/${top}`), ...rest) : path;
}

function listFiles(root: string, path: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
    const below = `${path}/${entry.name}`;
    if (entry.isDirectory()) found.push(...listFiles(root, below));
    else found.push(below);
  }
  return found.sort();
}
