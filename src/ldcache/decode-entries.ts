import type { Cursor, Refuse } from "../binary/cursor.ts";
import { NvociError } from "../model/errors.ts";
import type { Abi } from "../model/machine.ts";
import { quote } from "../text/quote.ts";
import { decodeUtf8 } from "../text/utf8.ts";

/** Bytes per entry in either layout. */
export const OLD_ENTRY_BYTES = 12;
export const NEW_ENTRY_BYTES = 24;

/** Machines by the second byte of an entry's flags. Machines without an NVIDIA driver are left out. */
const ARCHITECTURES: Readonly<Record<number, Abi["name"]>> = {
  0: "i386",
  768: "x86_64",
  2304: "arm",
  2560: "aarch64",
};

const FLAG_ELF = 0x0001;
const FLAG_REQUIRED_MASK = 0xff00;

/** A library that the dynamic linker knows. */
export interface LdCacheEntry {
  /** The key: usually the library's SONAME. */
  readonly name: string;
  /** The path as ldconfig wrote it: absolute, often a symbolic link. */
  readonly path: string;
  /** `undefined` for machines without an NVIDIA driver, and for libraries that are not ELF. */
  readonly architecture: Abi["name"] | undefined;
}

/** The bytes to decode, and the functions that read them. */
export interface Input {
  readonly bytes: Uint8Array;
  readonly cursor: Cursor;
  readonly refuse: Refuse;
  /** Passes entries that may be wanted. */
  readonly filter: NameFilter;
}

/** Offsets of a layout's entries and strings, in bytes from the start of the file. */
export interface Table {
  readonly at: number;
  readonly entrySize: number;
  readonly count: number;
  /** The origin of the offsets `key` and `value`. */
  readonly base: number;
  readonly strings: number;
  readonly stringsEnd: number;
}

/** Wanted entries of one file: a host's cache has some thousands in all. Each one costs the hook system calls. */
const MAX_ENTRIES = 16_384;

/** Decodes the entries of one layout, in the order of the file. Leaves out entries that are not UTF-8. */
export function decodeEntries(input: Input, table: Table): readonly LdCacheEntry[] {
  const { bytes, cursor, refuse, filter } = input;
  const entries: LdCacheEntry[] = [];
  const first = table.strings - table.base;
  const end = table.stringsEnd - table.base;
  const words = tableWords(bytes, table);
  const step = table.entrySize / 4;
  for (let i = 0; i < table.count; i++) {
    const at = table.at + i * table.entrySize;
    const key = words[i * step + 1]!;
    const value = words[i * step + 2]!;
    if (key < first || key >= end) refuse(`libs[${i}].key`, at + 4, `${key} is outside the strings`);
    if (value < first || value >= end) refuse(`libs[${i}].value`, at + 8, `${value} is outside the strings`);
    if (!filter(bytes, table.base + key)) continue;

    const name = decodeString(input, table, `libs[${i}].key`, key);
    const path = decodeString(input, table, `libs[${i}].value`, value);
    if (name === undefined || path === undefined) continue;
    if (entries.length === MAX_ENTRIES)
      refuse(`libs[${i}]`, at, `there are more than ${MAX_ENTRIES} libraries`);
    entries.push({ name, path, architecture: entryArchitecture(cursor.u32("flags", at)) });
  }
  return entries;
}

/**
 * Returns the machine of an entry's library.
 *
 * @see glibc sysdeps/generic/ldconfig.h, `FLAG_*`
 */
const entryArchitecture = (flags: number): Abi["name"] | undefined =>
  flags & FLAG_ELF ? ARCHITECTURES[flags & FLAG_REQUIRED_MASK] : undefined;

/**
 * Returns the table as numbers, which is several times faster than a cursor for a host's thousand entries. The
 * caller has checked that the table is within the file. It has this machine's byte order: nvoci only runs on
 * little-endian machines.
 */
function tableWords(bytes: Uint8Array, { at, entrySize, count }: Table): Uint32Array {
  const table = bytes.subarray(at, at + entrySize * count);
  const aligned = table.byteOffset % 4 === 0 ? table : table.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}

/** Decodes the string at `offset` from the table's base; `undefined` when it is not UTF-8. */
function decodeString(input: Input, table: Table, field: string, offset: number): string | undefined {
  const start = table.base + offset;
  if (!isInside(table, offset)) input.refuse(field, start, "the string is outside the table");
  return decodeUtf8(input.bytes, start, input.cursor.stringEnd(field, start, table.stringsEnd));
}

const isInside = (table: Table, offset: number): boolean =>
  table.base + offset >= table.strings && table.base + offset < table.stringsEnd;

/** The error for an ld.so.cache that does not follow the format. Names the field and its offset. */
export class LdCacheError extends NvociError {
  /** The field's name in glibc: `nlibs`, `libs[3].key`, `extension_offset`. */
  readonly field: string;
  /** Bytes from the start of the file. */
  readonly offset: number;

  constructor(file: string, field: string, offset: number, reason: string) {
    super("file-invalid", `Cannot read ${quote(file, 4096)}: ${field} at byte ${offset}: ${reason}`, {
      hint: "rebuild the file with: ldconfig",
    });
    this.name = "LdCacheError";
    this.field = field;
    this.offset = offset;
  }
}

/** Reports whether a name may be wanted, from a few of its bytes and without decoding it. */
type NameFilter = (bytes: Uint8Array, offset: number) => boolean;

/** The four bytes after `lib` distinguish nearly all names, and compare as one number. */
const SKIPPED = 3;
const COMPARED = 4;

/**
 * Makes a filter for names with one of the prefixes. It may pass other names, but never rejects a wanted one.
 *
 * @param prefixes ASCII; a prefix shorter than seven characters turns the filter off.
 */
export function nameFilter(prefixes: readonly string[]): NameFilter {
  const words = new Set<number>();
  for (const prefix of prefixes) {
    if (prefix.length < SKIPPED + COMPARED) return () => true;
    let word = 0;
    for (let i = 0; i < COMPARED; i++) word |= prefix.charCodeAt(SKIPPED + i) << (8 * i);
    words.add(word);
  }
  // Bytes beyond the end count as zeros, which no prefix contains.
  return (bytes, offset) =>
    words.has(
      bytes[offset + SKIPPED]! |
        (bytes[offset + SKIPPED + 1]! << 8) |
        (bytes[offset + SKIPPED + 2]! << 16) |
        (bytes[offset + SKIPPED + 3]! << 24),
    );
}
