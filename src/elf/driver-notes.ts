import { cursor } from "../binary/cursor.ts";
import { ignorable } from "../model/errors.ts";
import type { HostPath } from "../model/paths.ts";
import type { HostView } from "../model/views.ts";
import { decodeUtf8 } from "../text/utf8.ts";
import { type Elf, type ElfPart, elfRefusal, readHostElf } from "./read-elf.ts";

/** A note: a few bytes that a named owner adds to the file. */
interface ElfNote {
  readonly owner: string;
  /** Defined by the owner. */
  readonly type: number;
  readonly description: Uint8Array;
}

const PT_NOTE = 4;
const SHT_NOTE = 7;
const MAX_NOTES_BYTES = 1 << 16;
const HEADER_BYTES = 12;

/**
 * Reads every note, in the order of the file. Notes that are both in a segment and in a section appear once.
 *
 * @throws {NvociError} "file-invalid" when a note does not follow the format.
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
  if (part.size > MAX_NOTES_BYTES)
    refuse("notes", part.offset, `the notes are too large (${part.size} bytes)`);
  const bytes = elf.readAt(part.offset, part.size);
  const c = cursor(bytes, (field, at, reason) => refuse(field, part.offset + at, reason));
  const alignment = part.alignment === 8 ? 8 : 4;
  const aligned = (offset: number): number => Math.ceil(offset / alignment) * alignment;

  const notes: ElfNote[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const nameSize = c.u32("n_namesz", at);
    const descriptionSize = c.u32("n_descsz", at + 4);
    const type = c.u32("n_type", at + 8);
    const nameAt = at + HEADER_BYTES;
    c.range("n_namesz", nameAt, nameSize);
    const descriptionAt = aligned(nameAt + nameSize);
    // The size of the last note may include padding that the part does not contain: Orin's libcuda has such a note.
    const missing = descriptionAt + descriptionSize - bytes.length;
    if (missing >= alignment) c.range("n_descsz", descriptionAt, descriptionSize);
    notes.push({
      // The size includes the final NUL.
      owner: decodeUtf8(bytes, nameAt, nameAt + Math.max(0, nameSize - 1)) ?? "",
      type,
      description: bytes.subarray(descriptionAt, descriptionAt + descriptionSize),
    });
    at = aligned(descriptionAt + descriptionSize);
  }
  return notes;
}

const GNU_ABI_TAG = 1;
const ABI_TAG_BYTES = 16;
const CUDA_OWNER = "NVIDIA Corporation";

/** The oldest kernel that a library runs on, from its ABI note. */
interface AbiTag {
  /** 0 for Linux. */
  readonly system: number;
  /** `2.3.99`. */
  readonly version: string;
}

/**
 * Finds the note `.note.ABI-tag`; `undefined` when there is none.
 *
 * @see Linux Standard Base Core, "Note Section"
 */
export function abiTag(notes: readonly ElfNote[]): AbiTag | undefined {
  const note = notes.find(
    ({ owner, type, description }) =>
      owner === "GNU" && type === GNU_ABI_TAG && description.length >= ABI_TAG_BYTES,
  );
  if (note === undefined) return undefined;
  const c = cursor(note.description, () => {
    throw new RangeError("unreachable: the length was checked");
  });
  const numbers = [4, 8, 12].map((at) => c.u32("abi tag", at));
  return { system: c.u32("abi tag", 0), version: numbers.join(".") };
}

/** A libcuda's description of itself, in `.note.cuda.fwd_compatibility`. */
export interface CudaNote {
  /** The CUDA version that the library provides: `12.9`. */
  readonly cudaVersion: string;
  /** Major versions of the kernel modules that it works with; empty when it lists none. */
  readonly drivers: readonly number[];
}

/**
 * Finds the note `.note.cuda.fwd_compatibility`; `undefined` when there is none or nvoci does not understand it.
 */
export function cudaNote(notes: readonly ElfNote[]): CudaNote | undefined {
  for (const { owner, description } of notes) {
    if (owner !== CUDA_OWNER) continue;
    const end = description.indexOf(0);
    const content = parseJson(decodeUtf8(description, 0, end < 0 ? description.length : end) ?? "");
    if (typeof content !== "object" || content === null) continue;
    const { "CUDA version": cudaVersion, driver } = content as Record<string, unknown>;
    if (typeof cudaVersion !== "string" || !/^\d{1,4}\.\d{1,4}$/.test(cudaVersion)) continue;
    const drivers = Array.isArray(driver) ? driver.filter((major) => Number.isInteger(major)) : [];
    return { cudaVersion, drivers };
  }
  return undefined;
}

/** Finds the CUDA note of a library of the host; `undefined` also when the library cannot be read. */
export function hostCudaNote(host: HostView, libcuda: HostPath): CudaNote | undefined {
  try {
    return cudaNote(readNotes(readHostElf(host, libcuda)));
  } catch (error) {
    // A program that loads the library gets its own error.
    ignorable(error);
    return undefined;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
