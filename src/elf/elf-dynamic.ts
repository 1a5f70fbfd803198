import { cursor } from "../binary/cursor.ts";
import { decodeUtf8 } from "../text/utf8.ts";
import { type Elf, elfRefusal, word } from "./read-elf.ts";

/** A library's information for the dynamic linker. */
interface ElfDynamic {
  /** The name by which others need the library. */
  readonly soname: string | undefined;
  /** SONAMEs of the libraries it needs. */
  readonly needed: readonly string[];
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_NULL = 0;
const DT_NEEDED = 1;
const DT_STRTAB = 5;
const DT_SONAME = 14;
const MAX_DYNAMIC_BYTES = 1 << 16;
const MAX_NAME_BYTES = 256;

/**
 * Reads the dynamic section: the library's SONAME and the SONAMEs that it needs. A file without the section has
 * neither. Ignores names that are not UTF-8.
 *
 * @throws {NvociError} "file-invalid" when the section does not follow the format.
 * @see elf(5), "Dynamic tags"
 */
export function readDynamic(elf: Elf): ElfDynamic {
  const refuse = elfRefusal(elf.file);
  const segment = elf.segments.find((part) => part.type === PT_DYNAMIC);
  if (segment === undefined) return { soname: undefined, needed: [] };
  if (segment.size > MAX_DYNAMIC_BYTES)
    refuse("p_size", segment.offset, `the dynamic section is too large (${segment.size} bytes)`);

  const bytes = elf.readAt(segment.offset, segment.size);
  const c = cursor(bytes, (field, at, reason) => refuse(field, segment.offset + at, reason));
  const width = elf.bits / 8;
  let strings: number | undefined;
  let sonameAt: number | undefined;
  const neededAt: number[] = [];
  for (let at = 0; at + 2 * width <= bytes.length; at += 2 * width) {
    // The wanted tags are small, so the lower half is enough.
    const tag = c.u32("d_tag", at);
    if (tag === DT_NULL) break;
    if (tag !== DT_NEEDED && tag !== DT_STRTAB && tag !== DT_SONAME) continue;
    const value = word(c, elf.bits, "d_val", at + width);
    if (tag === DT_STRTAB) strings = fileOffset(elf, value);
    else if (tag === DT_SONAME) sonameAt = value;
    else neededAt.push(value);
  }
  if (strings === undefined) return { soname: undefined, needed: [] };
  const start = strings;
  const name = (offset: number): string | undefined => {
    const text = elf.readAt(start + offset, MAX_NAME_BYTES);
    const end = text.indexOf(0);
    return end < 0
      ? refuse("DT_STRTAB", start + offset, "the name is not terminated")
      : decodeUtf8(text, 0, end);
  };
  return {
    soname: sonameAt === undefined ? undefined : name(sonameAt),
    needed: neededAt.map(name).filter((text) => text !== undefined),
  };
}

/** Returns the offset in the file of the byte that is loaded at `address`. */
function fileOffset(elf: Elf, address: number): number | undefined {
  const segment = elf.segments.find(
    (part) => part.type === PT_LOAD && address >= part.address && address < part.address + part.size,
  );
  return segment && address - segment.address + segment.offset;
}
