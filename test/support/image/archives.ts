import { gunzipSync } from "node:zlib";
import { extract, type Headers } from "tar-stream";

/** A member of an ar archive. */
interface ArMember {
  readonly name: string;
  readonly content: Buffer;
}

/**
 * Reads an ar archive.
 *
 * @throws Error for anything else.
 * @see ar(5)
 */
export function readAr(bytes: Buffer): readonly ArMember[] {
  if (bytes.toString("latin1", 0, 8) !== "!<arch>\n") throw new Error("not an ar archive");
  const members: ArMember[] = [];
  for (let at = 8; at < bytes.length; ) {
    const header = bytes.toString("latin1", at, at + 60);
    if (!header.endsWith("`\n")) throw new Error(`no ar header at ${at}`);
    const size = Number(header.slice(48, 58));
    members.push({ name: header.slice(0, 16).trimEnd(), content: bytes.subarray(at + 60, at + 60 + size) });
    at += 60 + size + (size % 2);
  }
  return members;
}

/** An entry of a tar archive. */
interface TarEntry {
  readonly header: Headers;
  readonly content: Buffer;
}

/** Reads a gzip-compressed tar archive. */
export async function readTarGz(bytes: Buffer): Promise<readonly TarEntry[]> {
  const entries: TarEntry[] = [];
  const reader = extract();
  reader.end(gunzipSync(bytes));
  for await (const entry of reader) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    entries.push({ header: entry.header, content: Buffer.concat(chunks) });
  }
  return entries;
}
