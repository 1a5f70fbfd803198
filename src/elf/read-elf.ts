import { type Cursor, cursor, type Refuse } from "../binary/cursor.ts";
import { NvociError } from "../model/errors.ts";
import type { HostPath } from "../model/paths.ts";
import type { HostView } from "../model/views.ts";
import { quote } from "../text/quote.ts";

/** Reads `length` bytes of a file at `offset`, fewer at the end of the file. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

/** A part of the file that a program header or a section header describes. */
export interface ElfPart {
  /** `PT_…` or `SHT_…`. */
  readonly type: number;
  readonly offset: number;
  /** Address when loaded; 0 for sections. */
  readonly address: number;
  readonly size: number;
  readonly alignment: number;
}

/** The headers of an ELF file. `readAt` reads the rest on demand. */
export interface Elf {
  /** Name for error messages. */
  readonly file: string;
  readonly bits: 32 | 64;
  /** `EM_…`: 3 i386, 40 arm, 62 x86_64, 183 aarch64. */
  readonly machine: number;
  readonly segments: readonly ElfPart[];
  /** Empty in a file stripped of its section headers. */
  readonly sections: readonly ElfPart[];
  readonly readAt: ReadAt;
}

/** Offsets of the fields in use. The two classes differ in nothing else. */
const LAYOUTS = {
  32: {
    header: 52,
    phoff: 28,
    shoff: 32,
    phnum: 44,
    shnum: 48,
    segment: { size: 32, offset: 4, address: 8, bytes: 16, alignment: 28 },
    section: { size: 40, offset: 16, address: 12, bytes: 20, alignment: 32 },
  },
  64: {
    header: 64,
    phoff: 32,
    shoff: 40,
    phnum: 56,
    shnum: 60,
    segment: { size: 56, offset: 8, address: 16, bytes: 32, alignment: 48 },
    section: { size: 64, offset: 24, address: 16, bytes: 32, alignment: 48 },
  },
} as const;

type PartLayout = (typeof LAYOUTS)[32 | 64]["segment" | "section"];

/** A shared library has about ten segments and forty sections. */
const MAX_PARTS = 4096;
const NATIVE_ENDIAN = 1;

/**
 * Reads the headers of an ELF file: three short reads, however large the file is.
 *
 * @throws {NvociError} "file-invalid" when the file is not a little-endian ELF file.
 * @see elf(5)
 */
export function readElf(file: string, readAt: ReadAt): Elf {
  const refuse = elfRefusal(file);
  const bytes = readAt(0, LAYOUTS[64].header);
  const c = cursor(bytes, refuse);
  if (!c.has("\x7fELF", 0)) refuse("e_ident", 0, "this is not an ELF file");
  const fileClass = c.u8("EI_CLASS", 4);
  if (fileClass !== 1 && fileClass !== 2) refuse("EI_CLASS", 4, `class ${fileClass} is unknown`);
  if (c.u8("EI_DATA", 5) !== NATIVE_ENDIAN) refuse("EI_DATA", 5, "the file is not little-endian");

  const bits = fileClass === 1 ? 32 : 64;
  const layout = LAYOUTS[bits];
  const parts = (name: string, part: PartLayout, offset: number, count: number): ElfPart[] =>
    readParts({ name, part, offset, count, bits, readAt, refuse });
  return {
    file,
    bits,
    machine: c.u16("e_machine", 18),
    segments: parts(
      "p",
      layout.segment,
      word(c, bits, "e_phoff", layout.phoff),
      c.u16("e_phnum", layout.phnum),
    ),
    sections: parts(
      "sh",
      layout.section,
      word(c, bits, "e_shoff", layout.shoff),
      c.u16("e_shnum", layout.shnum),
    ),
    readAt,
  };
}

const NOTHING = new Uint8Array(0);

/** Reads the headers of an ELF file of the host. A missing file counts as empty. */
export const readHostElf = (host: HostView, path: HostPath): Elf =>
  readElf(path, (offset, length) => host.readRange(path, offset, length) ?? NOTHING);

/** Returns a function that refuses a field of an ELF file. */
export function elfRefusal(file: string): Refuse {
  return (field, offset, reason) => {
    throw new NvociError(
      "file-invalid",
      `Cannot read ${quote(file, 4096)}: ${field} at byte ${offset}: ${reason}`,
    );
  };
}

/** Reads a number of the size of an address of the file's class. */
export const word = (c: Cursor, bits: 32 | 64, field: string, offset: number): number =>
  bits === 64 ? c.u64(field, offset) : c.u32(field, offset);

function readParts(table: {
  readonly name: string;
  readonly part: PartLayout;
  readonly offset: number;
  readonly count: number;
  readonly bits: 32 | 64;
  readonly readAt: ReadAt;
  readonly refuse: Refuse;
}): ElfPart[] {
  const { name, part, offset, count, bits, readAt, refuse } = table;
  if (count === 0 || offset === 0) return [];
  if (count > MAX_PARTS) refuse(`e_${name}num`, offset, `${count} is more than any library has`);
  const c = cursor(readAt(offset, count * part.size), (field, at, reason) =>
    refuse(field, offset + at, reason),
  );
  const typeAt = name === "sh" ? 4 : 0;
  const parts: ElfPart[] = [];
  for (let at = 0; at < count * part.size; at += part.size) {
    parts.push({
      type: c.u32(`${name}_type`, at + typeAt),
      offset: word(c, bits, `${name}_offset`, at + part.offset),
      address: word(c, bits, `${name}_addr`, at + part.address),
      size: word(c, bits, `${name}_size`, at + part.bytes),
      alignment: word(c, bits, `${name}_align`, at + part.alignment),
    });
  }
  return parts;
}
