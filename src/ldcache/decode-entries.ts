import type { Cursor, Refuse } from "../binary/cursor.ts";
import { NvociError } from "../model/errors.ts";
import type { Abi } from "../model/machine.ts";
import { quote } from "../text/quote.ts";
import { decodeUtf8 } from "../text/utf8.ts";

/** Bytes per entry in either layout. */
export const OLD_ENTRY_BYTES = 12;
export const NEW_ENTRY_BYTES = 24;

/** What the second byte of an entry's flags says. Machines that have no NVIDIA driver are left out. */
const ARCHITECTURES: Readonly<Record<number, Abi["name"]>> = {
  0: "i386",
  768: "x86_64",
  2304: "arm",
  2560: "aarch64",
};

const FLAG_ELF = 0x0001;
const FLAG_REQUIRED_MASK = 0xff00;

/** One library that the dynamic linker knows. */
export interface LdCacheEntry {
  /** The key: most often the library's SONAME. */
  readonly name: string;
  /** Where it is, as ldconfig wrote it: absolute, often a symbolic link. */
  readonly path: string;
  /** `undefined` for machines that have no NVIDIA driver, and for what is not ELF. */
  readonly architecture: Abi["name"] | undefined;
}

/** The bytes being decoded and what may be asked of them. */
export interface Input {
  readonly bytes: Uint8Array;
  readonly cursor: Cursor;
  readonly refuse: Refuse;
  /** Lets entries pass that may be wanted. */
  readonly filter: NameFilter;
}

/** Where a layout keeps its entries and strings, in bytes from the start of the file. */
export interface Table {
  readonly at: number;
  readonly entrySize: number;
  readonly count: number;
  /** What `key` and `value` count from. */
  readonly base: number;
  readonly strings: number;
  readonly stringsEnd: number;
}

/** Decodes the entries of one layout, in the order of the file, and leaves out those that are not UTF-8. */
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
    entries.push({ name, path, architecture: entryArchitecture(cursor.u32("flags", at)) });
  }
  return entries;
}

/**
 * The machine that an entry's library runs on.
 *
 * @see glibc sysdeps/generic/ldconfig.h, `FLAG_*`
 */
const entryArchitecture = (flags: number): Abi["name"] | undefined =>
  flags & FLAG_ELF ? ARCHITECTURES[flags & FLAG_REQUIRED_MASK] : undefined;

/**
 * The table as numbers, which is several times faster than a cursor for a host's thousand entries. It lies within the
 * file, which the caller has checked, and has this machine's byte order: nvoci runs on little-endian ones alone.
 */
function tableWords(bytes: Uint8Array, { at, entrySize, count }: Table): Uint32Array {
  const table = bytes.subarray(at, at + entrySize * count);
  const aligned = table.byteOffset % 4 === 0 ? table : table.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}

/** The string at `offset` from the table's base; `undefined` when it is not UTF-8. */
function decodeString(input: Input, table: Table, field: string, offset: number): string | undefined {
  const start = table.base + offset;
  if (!isInside(table, offset)) input.refuse(field, start, "the string is outside the table");
  return decodeUtf8(input.bytes, start, input.cursor.stringEnd(field, start, table.stringsEnd));
}

const isInside = (table: Table, offset: number): boolean =>
  table.base + offset >= table.strings && table.base + offset < table.stringsEnd;

/** A ld.so.cache that breaks its own format. Names the field and the byte where it stands. */
export class LdCacheError extends NvociError {
  /** The field in glibc's words: `nlibs`, `libs[3].key`, `extension_offset`. */
  readonly field: string;
  /** Bytes from the start of the file. */
  readonly offset: number;

  constructor(file: string, field: string, offset: number, reason: string) {
    super("file-invalid", `Cannot read ${quote(file, 4096)}: ${field} at byte ${offset}: ${reason}`, {
      hint: "write the file anew with: ldconfig",
    });
    this.name = "LdCacheError";
    this.field = field;
    this.offset = offset;
  }
}

/** Tells from a few bytes that a name cannot be one of the wanted ones, so that it need not be decoded. */
type NameFilter = (bytes: Uint8Array, offset: number) => boolean;

/** After `lib`, the next four bytes tell nearly all names apart, and they are one number to compare. */
const SKIPPED = 3;
const COMPARED = 4;

/**
 * Makes a filter for names that begin with one of the prefixes. It may let others pass, it never holds one back.
 *
 * @param prefixes ASCII; one of less than seven characters switches the filter off.
 */
export function nameFilter(prefixes: readonly string[]): NameFilter {
  const words = new Set<number>();
  for (const prefix of prefixes) {
    if (prefix.length < SKIPPED + COMPARED) return () => true;
    let word = 0;
    for (let i = 0; i < COMPARED; i++) word |= prefix.charCodeAt(SKIPPED + i) << (8 * i);
    words.add(word);
  }
  // Beyond the end of the bytes there are zeros, which no prefix has.
  return (bytes, offset) =>
    words.has(
      bytes[offset + SKIPPED]! |
        (bytes[offset + SKIPPED + 1]! << 8) |
        (bytes[offset + SKIPPED + 2]! << 16) |
        (bytes[offset + SKIPPED + 3]! << 24),
    );
}
