import type { Cursor, Refuse } from "../binary/cursor.ts";

const EXTENSION_MAGIC = 0xeaa42174;
const TAG_GENERATOR = 0;
const TAG_GLIBC_HWCAPS = 1;
const HEADER_SIZE = 8;
const SECTION_SIZE = 16;
/** There are as many as CPU levels; 3 on x86_64. */
const MOST_HWCAPS = 64;

/** What glibc 2.33 and later write after the strings. */
export interface Extension {
  /** Start and size of the text that names the ldconfig which wrote the file. */
  readonly generator: { readonly offset: number; readonly size: number } | undefined;
  /** For each glibc-hwcaps directory, where its name begins, from the start of the new header. */
  readonly hwcaps: readonly number[];
}

/**
 * Reads the directory of the extension area. Sections with other tags are checked and passed over.
 *
 * @param offset from the start of the file, as ldconfig writes it in either layout.
 * @see glibc sysdeps/generic/dl-cache.h, `struct cache_extension`
 */
export function decodeExtension(cursor: Cursor, offset: number, refuse: Refuse): Extension {
  if (cursor.u32("extension magic", offset) !== EXTENSION_MAGIC) {
    refuse("extension magic", offset, "the number is not glibc's");
  }
  const count = cursor.u32("extension count", offset + 4);
  cursor.range("extension sections", offset + HEADER_SIZE, count * SECTION_SIZE);

  let generator: Extension["generator"];
  const hwcaps: number[] = [];
  for (let i = 0; i < count; i++) {
    const at = offset + HEADER_SIZE + i * SECTION_SIZE;
    const tag = cursor.u32(`sections[${i}].tag`, at);
    const start = cursor.u32(`sections[${i}].offset`, at + 8);
    const size = cursor.u32(`sections[${i}].size`, at + 12);
    cursor.range(`sections[${i}].offset`, start, size);
    if (tag === TAG_GENERATOR) generator = { offset: start, size };
    if (tag !== TAG_GLIBC_HWCAPS) continue;
    if (size % 4 !== 0) refuse(`sections[${i}].size`, at + 12, "the size is no multiple of 4");
    if (hwcaps.length + size / 4 > MOST_HWCAPS)
      refuse(`sections[${i}].size`, at + 12, "too many directories");
    for (let j = 0; j < size; j += 4) hwcaps.push(cursor.u32(`hwcaps[${j / 4}]`, start + j));
  }
  return { generator, hwcaps };
}
