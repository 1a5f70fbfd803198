/** An entry of a generated ld.so.cache. */
export interface MadeEntry {
  readonly name: string;
  readonly path: string;
  /** Default: an x86_64 library. */
  readonly flags?: number;
  /** Index into `hwcaps`. */
  readonly hwcaps?: number;
}

/** Options of {@link ldCacheBytes}. */
interface MadeCache {
  readonly format?: "old" | "compat" | "new";
  /** Names of glibc-hwcaps directories. */
  readonly hwcaps?: readonly string[];
  readonly generator?: string;
}

export const FLAGS = { x86_64: 0x0303, i386: 0x0003, aarch64: 0x0a03, arm: 0x0903, s390x: 0x0403 } as const;

/** Returns a ld.so.cache as ldconfig(8) of glibc 2.36 writes it, in any of its layouts. */
export function ldCacheBytes(entries: readonly MadeEntry[], cache: MadeCache = {}): Uint8Array {
  const { format = "new", hwcaps = [], generator } = cache;
  const strings: Buffer[] = [];
  let stringsSize = 0;
  const intern = (text: string): number => {
    const offset = stringsSize;
    const bytes = Buffer.from(`${text}\0`);
    strings.push(bytes);
    stringsSize += bytes.length;
    return offset;
  };
  const places = entries.map(({ name, path }) => ({ key: intern(name), value: intern(path) }));
  const hwcapPlaces = hwcaps.map(intern);

  const old = Buffer.alloc(16 + 12 * entries.length);
  old.write("ld.so-1.7.0");
  old.writeUInt32LE(entries.length, 12);
  const oldPart = format === "new" ? 0 : format === "old" ? old.length : Math.ceil(old.length / 8) * 8;
  const newHeader = Buffer.alloc(48 + 24 * entries.length);
  const stringsInOld = format === "old" ? 0 : oldPart - old.length + newHeader.length;
  for (const [i, { key, value }] of places.entries()) {
    const at = 16 + 12 * i;
    old.writeInt32LE(entries[i]!.flags ?? FLAGS.x86_64, at);
    old.writeUInt32LE(stringsInOld + key, at + 4);
    old.writeUInt32LE(stringsInOld + value, at + 8);
    const entry = 48 + 24 * i;
    newHeader.writeInt32LE(entries[i]!.flags ?? FLAGS.x86_64, entry);
    newHeader.writeUInt32LE(newHeader.length + key, entry + 4);
    newHeader.writeUInt32LE(newHeader.length + value, entry + 8);
    const index = entries[i]!.hwcaps;
    if (index !== undefined) newHeader.writeBigUInt64LE((1n << 62n) + BigInt(index), entry + 16);
  }
  if (format === "old") return Buffer.concat([old, ...strings]);

  newHeader.write("glibc-ld.so.cache1.1");
  newHeader.writeUInt32LE(entries.length, 20);
  newHeader.writeUInt32LE(stringsSize, 24);
  newHeader.writeUInt8(2, 28);
  const head = Buffer.concat([old.subarray(0, oldPart === 0 ? 0 : old.length)]);
  const padded = Buffer.concat([head, Buffer.alloc(oldPart - head.length)]);
  const beforeExtension = oldPart + newHeader.length + stringsSize;
  const extensionAt = Math.ceil(beforeExtension / 4) * 4;
  const extension = extensionBytes(
    extensionAt,
    hwcapPlaces.map((place) => newHeader.length + place),
    generator,
  );
  if (extension.length > 0) newHeader.writeUInt32LE(extensionAt, 32);
  const padding = Buffer.alloc(extension.length > 0 ? extensionAt - beforeExtension : 0);
  return Buffer.concat([padded, newHeader, ...strings, padding, extension]);
}

function extensionBytes(at: number, hwcaps: readonly number[], generator: string | undefined): Buffer {
  const sections: { tag: number; content: Buffer }[] = [];
  if (generator !== undefined) sections.push({ tag: 0, content: Buffer.from(generator) });
  if (hwcaps.length > 0) {
    const content = Buffer.alloc(4 * hwcaps.length);
    for (const [i, place] of hwcaps.entries()) content.writeUInt32LE(place, 4 * i);
    sections.push({ tag: 1, content });
  }
  if (sections.length === 0) return Buffer.alloc(0);
  const header = Buffer.alloc(8 + 16 * sections.length);
  header.writeUInt32LE(0xeaa42174, 0);
  header.writeUInt32LE(sections.length, 4);
  let offset = at + header.length;
  for (const [i, { tag, content }] of sections.entries()) {
    header.writeUInt32LE(tag, 8 + 16 * i);
    header.writeUInt32LE(offset, 16 + 16 * i);
    header.writeUInt32LE(content.length, 20 + 16 * i);
    offset += content.length;
  }
  return Buffer.concat([header, ...sections.map(({ content }) => content)]);
}
