import { cursor, type Refuse } from "../binary/cursor.ts";
import {
  decodeEntries,
  type Input,
  type LdCacheEntry,
  LdCacheError,
  NEW_ENTRY_BYTES,
  nameFilter,
  OLD_ENTRY_BYTES,
  type Table,
} from "./decode-entries.ts";

/** Options of {@link decodeLdCache}. */
interface LdCacheOptions {
  /** Name for error messages. */
  readonly file?: string;
  /**
   * ASCII prefixes of the wanted names. Most entries with another name are left out, which saves the time to
   * decode them; some may remain. Every offset is still checked.
   */
  readonly prefixes?: readonly string[];
}

const MAGIC_OLD = "ld.so-1.7.0";
const OLD_HEADER_BYTES = 16;
const MAGIC_NEW = "glibc-ld.so.cache1.1";
const NEW_HEADER_BYTES = 48;
const FLAG_ENDIAN_MASK = 0x03;
const ENDIAN_UNSET = 0;
const ENDIAN_LITTLE = 2;

/**
 * Decodes the dynamic linker's list of libraries, in every layout that ldconfig has ever written on a
 * little-endian machine. Linear in the size of the file. Reads neither the libraries nor the extensions that newer
 * versions of ldconfig write after the strings. If the old layout contains the new one, reads the new one.
 *
 * @returns the entries in the order of the file, without those whose name or path is not UTF-8.
 * @throws {LdCacheError} "file-invalid" when the file does not follow the format.
 * @see glibc sysdeps/generic/dl-cache.h, elf/cache.c
 */
export function decodeLdCache(bytes: Uint8Array, options: LdCacheOptions = {}): readonly LdCacheEntry[] {
  const file = options.file ?? "ld.so.cache";
  const refuse: Refuse = (field, offset, reason) => {
    throw new LdCacheError(file, field, offset, reason);
  };
  const filter = options.prefixes === undefined ? () => true : nameFilter(options.prefixes);
  const c = cursor(bytes, refuse);
  const input: Input = { bytes, cursor: c, refuse, filter };

  if (c.has(MAGIC_NEW, 0)) return decodeNew(input, 0);
  if (!c.has(MAGIC_OLD, 0)) refuse("magic", 0, "this is not an ld.so.cache");

  const count = c.u32("nlibs", 12);
  c.range("libs", OLD_HEADER_BYTES, count * OLD_ENTRY_BYTES);
  const end = OLD_HEADER_BYTES + count * OLD_ENTRY_BYTES;
  // The new header contains 64-bit numbers and is aligned like them.
  const embedded = Math.ceil(end / 8) * 8;
  if (c.has(MAGIC_NEW, embedded)) return decodeNew(input, embedded);

  const table: Table = {
    at: OLD_HEADER_BYTES,
    entrySize: OLD_ENTRY_BYTES,
    count,
    base: end,
    strings: end,
    stringsEnd: c.length,
  };
  return decodeEntries(input, table);
}

/** Decodes the new layout, with its header at `base`. */
function decodeNew(input: Input, base: number): readonly LdCacheEntry[] {
  const { cursor: c, refuse } = input;
  c.range("header", base, NEW_HEADER_BYTES);
  const count = c.u32("nlibs", base + 20);
  const stringsSize = c.u32("len_strings", base + 24);
  const endian = c.u8("flags", base + 28) & FLAG_ENDIAN_MASK;
  if (endian !== ENDIAN_UNSET && endian !== ENDIAN_LITTLE) {
    refuse("flags", base + 28, "the file was not written for a little-endian machine");
  }
  const at = base + NEW_HEADER_BYTES;
  c.range("libs", at, count * NEW_ENTRY_BYTES);
  const strings = at + count * NEW_ENTRY_BYTES;
  c.range("len_strings", strings, stringsSize);
  const stringsEnd = strings + stringsSize;
  return decodeEntries(input, { at, entrySize: NEW_ENTRY_BYTES, count, base, strings, stringsEnd });
}
