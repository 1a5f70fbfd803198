import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";

/**
 * A file with `content`, a symbolic link with the target `link`, or a directory with neither. Paths are relative.
 */
export interface TarEntry {
  readonly path: string;
  readonly content?: string | Buffer;
  readonly mode?: number;
  readonly link?: string;
}

/**
 * Makes a gzip-compressed tar archive: sorted, owned by root, with one time, so that equal entries give equal
 * bytes. It adds the parent directories of all entries.
 *
 * @param epoch seconds since 1970.
 * @param base a prefix for every path: "./" as dpkg uses, "name-version/", or nothing.
 * @returns the archive's bytes.
 */
export async function tarGz(entries: readonly TarEntry[], epoch: number, base: string): Promise<Buffer> {
  const archive = pack();
  const chunks: Buffer[] = [];
  archive.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve, reject) => archive.on("end", resolve).on("error", reject));
  const common = { uid: 0, gid: 0, uname: "root", gname: "root", mtime: new Date(epoch * 1000) };
  for (const { path, content, mode, link } of withDirectories(entries)) {
    const name = `${base}${path}`;
    if (name === "") continue;
    if (link !== undefined)
      archive.entry({ ...common, name, type: "symlink", linkname: link, mode: 0o777, size: 0 });
    else if (content === undefined) archive.entry({ ...common, name, type: "directory", mode: 0o755 });
    else archive.entry({ ...common, name, mode: mode ?? 0o644 }, Buffer.from(content));
  }
  archive.finalize();
  await ended;
  return gzipSync(Buffer.concat(chunks), { level: 9 });
}

/** Returns the entries and their parent directories, sorted: a directory comes before its content. */
function withDirectories(entries: readonly TarEntry[]): TarEntry[] {
  const all = new Map<string, TarEntry>([["", { path: "" }]]);
  for (const entry of entries) {
    const parts = entry.path.split("/");
    for (let count = 1; count < parts.length; count++) {
      const path = `${parts.slice(0, count).join("/")}/`;
      all.set(path, { path });
    }
    if (all.has(entry.path)) throw new Error(`Cannot pack "${entry.path}": there are two such entries`);
    all.set(entry.path, entry);
  }
  return [...all.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}
