import { cursor } from "../binary/cursor.ts";
import { decodeUtf8 } from "../model/utf8.ts";
import { type Elf, type ElfPart, elfRefusal } from "./read-elf.ts";

/** A note: a few bytes that a named owner put into the file. */
export interface ElfNote {
  readonly owner: string;
  /** Means what the owner says. */
  readonly type: number;
  readonly description: Uint8Array;
}

const PT_NOTE = 4;
const SHT_NOTE = 7;
const LARGEST_NOTES = 1 << 16;
const HEADER_SIZE = 12;

/**
 * Reads every note, in the order of the file. Notes that are both in a segment and in a section come once.
 *
 * @throws {NvociError} `file-invalid`
 * @see elf(5), "Notes (Nhdr)"
 */
export function readNotes(elf: Elf): ElfNote[] {
  const parts = new Map<number, ElfPart>();
  for (const part of elf.segments) if (part.type === PT_NOTE) parts.set(part.offset, part);
  for (const part of elf.sections) {
    const covered = [...parts.values()].some(
      (known) => part.offset >= known.offset && part.offset + part.size <= known.offset + known.size,
    );
    if (part.type === SHT_NOTE && !covered) parts.set(part.offset, part);
  }
  return [...parts.values()].flatMap((part) => readPart(elf, part));
}

function readPart(elf: Elf, part: ElfPart): ElfNote[] {
  const refuse = elfRefusal(elf.file);
  if (part.size > LARGEST_NOTES) refuse("notes", part.offset, `${part.size} bytes are too many`);
  const bytes = elf.readAt(part.offset, part.size);
  const c = cursor(bytes, (field, at, reason) => refuse(field, part.offset + at, reason));
  const alignment = part.alignment === 8 ? 8 : 4;
  const aligned = (offset: number): number => Math.ceil(offset / alignment) * alignment;

  const notes: ElfNote[] = [];
  for (let at = 0; at + HEADER_SIZE <= bytes.length; ) {
    const nameSize = c.u32("n_namesz", at);
    const descriptionSize = c.u32("n_descsz", at + 4);
    const type = c.u32("n_type", at + 8);
    const nameAt = at + HEADER_SIZE;
    c.range("n_namesz", nameAt, nameSize);
    const descriptionAt = aligned(nameAt + nameSize);
    c.range("n_descsz", descriptionAt, descriptionSize);
    notes.push({
      // The size counts the NUL at the end.
      owner: decodeUtf8(bytes, nameAt, nameAt + Math.max(0, nameSize - 1)) ?? "",
      type,
      description: bytes.subarray(descriptionAt, descriptionAt + descriptionSize),
    });
    at = aligned(descriptionAt + descriptionSize);
  }
  return notes;
}
