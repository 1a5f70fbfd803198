import { cursor } from "../binary/cursor.ts";
import { decodeUtf8 } from "../model/utf8.ts";
import type { ElfNote } from "./elf-notes.ts";

const GNU_ABI_TAG = 1;
const ABI_TAG_SIZE = 16;
const CUDA_OWNER = "NVIDIA Corporation";

/** The oldest kernel that a library runs on, as its ABI note has it. */
export interface AbiTag {
  /** 0 is Linux. */
  readonly system: number;
  /** `2.3.99`. */
  readonly version: string;
}

/**
 * The note `.note.ABI-tag`; `undefined` when there is none.
 *
 * @see Linux Standard Base Core, "Note Section"
 */
export function abiTag(notes: readonly ElfNote[]): AbiTag | undefined {
  const note = notes.find(
    ({ owner, type, description }) =>
      owner === "GNU" && type === GNU_ABI_TAG && description.length >= ABI_TAG_SIZE,
  );
  if (note === undefined) return undefined;
  const c = cursor(note.description, () => {
    throw new RangeError("The note was measured before");
  });
  const numbers = [4, 8, 12].map((at) => c.u32("abi tag", at));
  return { system: c.u32("abi tag", 0), version: numbers.join(".") };
}

/** What a libcuda says of itself in `.note.cuda.fwd_compatibility`. */
export interface CudaNote {
  /** CUDA version that the library provides: `12.9`. */
  readonly cudaVersion: string;
  /** Major versions of the kernel modules that it works with; empty when it does not say. */
  readonly drivers: readonly number[];
}

/** The note `.note.cuda.fwd_compatibility`; `undefined` when there is none or nvoci does not understand it. */
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
