import { Volume } from "memfs";
import { NvociError } from "../../../src/model/errors.ts";
import { basename, dirname, type HostPath, hostPath } from "../../../src/model/paths.ts";
import type { FileStat, FileType, HostView } from "../../../src/model/views.ts";
import { parseTreeLine, type TreeLine } from "./tree-line.ts";

/** The number of queries of each kind. */
type HostCalls = Record<keyof HostView, number>;

/** A host in memory that counts queries. */
export interface MemoryHost extends HostView {
  readonly calls: HostCalls;
}

/** Attributes that memfs cannot keep, or would enforce for a user who is not root. */
type Attributes = Pick<FileStat, "type" | "mode" | "uid" | "gid" | "major" | "minor">;

const TYPES: Readonly<Record<TreeLine["kind"], FileType>> = {
  dir: "directory",
  file: "file",
  symlink: "symlink",
  char: "character-device",
  block: "block-device",
  fifo: "fifo",
  socket: "socket",
};

const ABSENT = ["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG"];

/**
 * Returns a HostView on memfs, from lines such as `file /etc/x 0644 = "text"`; see {@link parseTreeLine} for all
 * of them.
 *
 * Missing parents are created (mode 0755, owner root). Files are read as root, except that mode 0000 refuses
 * access. Devices, FIFOs, sockets, modes and owners are kept outside memfs.
 *
 * @param tree one string with one entry per line (blank lines and `#` lines are ignored), or a list of lines.
 */
export function memoryHost(tree: string | readonly string[]): MemoryHost {
  const fs = new Volume();
  const attributes = new Map<string, Attributes>();
  const lines = typeof tree === "string" ? tree.split("\n").map((line) => line.trim()) : tree;
  for (const line of lines) {
    if (line === "" || line.startsWith("#")) continue;
    const entry = parseTreeLine(line);
    const path = add(fs, entry);
    const numbers = { major: 0, minor: 0, uid: 0, gid: 0, mode: 0o777 };
    attributes.set(path, {
      ...numbers,
      ...entry,
      ...("owner" in entry ? entry.owner : {}),
      type: TYPES[entry.kind],
    });
  }
  return view(fs, attributes);
}

/** Creates the node and returns its path with links in the directory part resolved. */
function add(fs: Volume, entry: TreeLine): string {
  fs.mkdirSync(entry.kind === "dir" ? entry.path : dirname(entry.path), { recursive: true, mode: 0o755 });
  if (entry.kind === "symlink") fs.symlinkSync(entry.target, entry.path);
  else if (entry.kind === "file") fs.writeFileSync(entry.path, entry.content, { mode: 0o644, flag: "wx" });
  else if (entry.kind !== "dir") fs.writeFileSync(entry.path, "", { flag: "wx" });
  return realName(fs, entry.path);
}

const realName = (fs: Volume, path: string): string =>
  hostPath(`${fs.realpathSync(dirname(path))}/${basename(path)}`);

function view(fs: Volume, attributes: ReadonlyMap<string, Attributes>): MemoryHost {
  const calls: HostCalls = {
    readFile: 0,
    readRange: 0,
    readDirectory: 0,
    lstat: 0,
    readLink: 0,
    realPath: 0,
  };
  function ask<T>(call: keyof HostView, path: string, answer: () => T, absent = ABSENT): T | undefined {
    calls[call]++;
    try {
      return answer();
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === undefined || error instanceof NvociError) throw error;
      if (absent.includes(code)) return undefined;
      throw new NvociError("system-call", `Cannot ${call} "${path}": ${code}`);
    }
  }
  /** Returns the resolved path of a readable node. */
  function readable(path: string): string {
    const real = fs.realpathSync(path) as string;
    if (attributes.get(real)?.mode === 0) throw Object.assign(new Error(), { code: "EACCES" });
    return real;
  }
  function content(path: string): Uint8Array {
    const real = readable(path);
    if ((attributes.get(real)?.type ?? "file") !== "file") {
      throw new NvociError("file-invalid", `Cannot read "${path}": it is not a file`);
    }
    return new Uint8Array(fs.readFileSync(real) as Uint8Array);
  }
  return {
    calls,
    readFile: (path, limit = 16 * 1024 * 1024, check) =>
      ask("readFile", path, () => {
        const bytes = content(path);
        check?.(statOf(fs, attributes, hostPath(fs.realpathSync(path) as string)));
        if (bytes.length <= limit) return bytes;
        throw new NvociError("file-invalid", `Cannot read "${path}": it is larger than ${limit} bytes`);
      }),
    readRange: (path, offset, length) =>
      ask("readRange", path, () => content(path).slice(offset, offset + length)),
    readDirectory: (path, ending = "") =>
      ask("readDirectory", path, () =>
        (fs.readdirSync(readable(path)) as string[]).filter((name) => name.endsWith(ending)),
      ),
    lstat: (path) => ask("lstat", path, () => statOf(fs, attributes, path)),
    readLink: (path) => ask("readLink", path, () => fs.readlinkSync(path) as string, [...ABSENT, "EINVAL"]),
    realPath: (path) => ask("realPath", path, () => hostPath(fs.realpathSync(path) as string)),
  };
}

function statOf(fs: Volume, attributes: ReadonlyMap<string, Attributes>, path: HostPath): FileStat {
  const size = Number(fs.lstatSync(path).size);
  // A directory that no line names was created as a parent.
  const parent: Attributes = { type: "directory", mode: 0o755, uid: 0, gid: 0, major: 0, minor: 0 };
  const { type, mode, uid, gid, major, minor } = attributes.get(realName(fs, path)) ?? parent;
  return { type, mode, uid, gid, size, major, minor };
}
