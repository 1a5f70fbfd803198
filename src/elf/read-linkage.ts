import { type Cursor, cursor } from "../binary/cursor.ts";
import { decodeUtf8 } from "../text/utf8.ts";
import { type Elf, elfRefusal, word } from "./read-elf.ts";

/** What a program or a library says to the dynamic linker, beyond its needs. */
export interface Linkage {
  /** Directories of DT_RPATH or DT_RUNPATH, which are searched before the library cache. May contain `$ORIGIN`. */
  readonly searchPath: readonly string[];
  /** Versions of symbols that it needs of other libraries: `GLIBC_2.34`. */
  readonly needs: readonly string[];
  /** Versions of symbols that it has: those of libc.so.6 are the versions of glibc that it replaces. */
  readonly defines: readonly string[];
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_NULL = 0;
const DT_STRTAB = 5;
const DT_RPATH = 15;
const DT_RUNPATH = 29;
const DT_VERDEF = 0x6ffffffc;
const DT_VERNEED = 0x6ffffffe;

const MAX_DYNAMIC_BYTES = 1 << 16;
const MAX_NAME_BYTES = 4096;
/** libstdc++ defines about a hundred versions. */
const MAX_VERSIONS = 4096;

/** Sizes and offsets of the records of symbol versions, which are the same in both classes of ELF. */
const NEED = { size: 16, aux: 8, next: 12 } as const;
const NEED_AUX = { size: 16, name: 8, next: 12 } as const;
const DEFINITION = { size: 20, aux: 12, next: 16 } as const;
const DEFINITION_AUX = { size: 8, name: 0, next: 4 } as const;

type Record = typeof NEED | typeof DEFINITION;
type Aux = typeof NEED_AUX | typeof DEFINITION_AUX;

const NOTHING: Linkage = { searchPath: [], needs: [], defines: [] };

/**
 * Reads where a file's libraries are searched, and the versions of symbols that it needs and has.
 *
 * @throws {NvociError} "file-invalid" when a table does not follow the format.
 * @see elf(5), and "Symbol Versioning" of the Linux Standard Base
 */
export function readLinkage(elf: Elf): Linkage {
  const refuse = elfRefusal(elf.file);
  const segment = elf.segments.find(({ type }) => type === PT_DYNAMIC);
  if (segment === undefined) return NOTHING;
  const size = Math.min(segment.size, MAX_DYNAMIC_BYTES);
  const c = cursor(elf.readAt(segment.offset, size), refuse);
  const width = elf.bits / 8;
  const values = new Map<number, number>();
  for (let at = 0; at + 2 * width <= c.length; at += 2 * width) {
    const tag = c.u32("d_tag", at);
    if (tag === DT_NULL) break;
    if ([DT_STRTAB, DT_RPATH, DT_RUNPATH, DT_VERDEF, DT_VERNEED].includes(tag)) {
      values.set(tag, word(c, elf.bits, "d_val", at + width));
    }
  }
  const strings = fileOffset(elf, values.get(DT_STRTAB));
  if (strings === undefined) return NOTHING;
  const name = (offset: number): string => {
    const bytes = elf.readAt(strings + offset, MAX_NAME_BYTES);
    const end = bytes.indexOf(0);
    return end < 0
      ? refuse("DT_STRTAB", strings + offset, "the name is not terminated")
      : (decodeUtf8(bytes, 0, end) ?? "");
  };
  const path = values.get(DT_RUNPATH) ?? values.get(DT_RPATH);
  return {
    searchPath: path === undefined ? [] : name(path).split(":"),
    needs: readNames(elf, fileOffset(elf, values.get(DT_VERNEED)), NEED, NEED_AUX, name),
    defines: readNames(elf, fileOffset(elf, values.get(DT_VERDEF)), DEFINITION, DEFINITION_AUX, name),
  };
}

/** Reads the names in a chain of records, each of which has a chain of auxiliary records. */
function readNames(
  elf: Elf,
  start: number | undefined,
  record: Record,
  aux: Aux,
  name: (offset: number) => string,
): readonly string[] {
  const names: string[] = [];
  const at = (place: number, size: number): Cursor => cursor(elf.readAt(place, size), elfRefusal(elf.file));
  let offset = start;
  while (offset !== undefined && names.length < MAX_VERSIONS) {
    const c = at(offset, record.size);
    let inner: number | undefined = offset + c.u32("aux", record.aux);
    // A definition's first name is its own, and the others are those of its parents.
    while (inner !== undefined && names.length < MAX_VERSIONS) {
      const entry = at(inner, aux.size);
      names.push(name(entry.u32("name", aux.name)));
      const next = record === DEFINITION ? 0 : entry.u32("next", aux.next);
      inner = next === 0 ? undefined : inner + next;
    }
    const next = c.u32("next", record.next);
    offset = next === 0 ? undefined : offset + next;
  }
  return names;
}

/** Returns the offset in the file of the byte that is loaded at `address`. */
function fileOffset(elf: Elf, address: number | undefined): number | undefined {
  if (address === undefined) return undefined;
  const segment = elf.segments.find(
    (part) => part.type === PT_LOAD && address >= part.address && address < part.address + part.size,
  );
  return segment && address - segment.address + segment.offset;
}

/**
 * Returns the highest version of a family: of `GLIBC_2.4` and `GLIBC_2.34`, the latter. Versions that are not numbers,
 * such as `GLIBC_PRIVATE`, do not count.
 *
 * @param family `GLIBC`, `GLIBCXX` or `CXXABI`.
 */
export function highestVersion(family: string, names: readonly string[]): string | undefined {
  const prefix = `${family}_`;
  const versions = names
    .filter((name) => name.startsWith(prefix) && /^\d+(?:\.\d+)*$/.test(name.slice(prefix.length)))
    .sort((a, b) => compareVersions(a.slice(prefix.length), b.slice(prefix.length)));
  return versions.at(-1);
}

/** Compares dotted numbers. @returns a negative number when `a` is lower. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split(".").map(Number), b.split(".").map(Number)];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
