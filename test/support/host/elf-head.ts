/** The content of a program's first bytes. */
interface ElfHead {
  readonly bits: 32 | 64;
  /** `p_type` of each program header. */
  readonly segments: readonly number[];
  /** Offset of the program headers. Default: after the ELF header. */
  readonly at?: number;
}

export const PT_LOAD = 1;
export const PT_DYNAMIC = 2;
export const PT_INTERP = 3;

/** Returns a little-endian ELF header and its program headers. @see elf(5) */
export function elfHead({ bits, segments, at }: ElfHead): Uint8Array {
  const is64 = bits === 64;
  const start = at ?? (is64 ? 64 : 52);
  const size = is64 ? 56 : 32;
  const bytes = new Uint8Array(Math.max(start + segments.length * size, 64));
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, 1, 1]);
  view.setUint16(16, 2, true);
  if (is64) view.setBigUint64(32, BigInt(start), true);
  else view.setUint32(28, start, true);
  view.setUint16(is64 ? 54 : 42, size, true);
  view.setUint16(is64 ? 56 : 44, segments.length, true);
  segments.forEach((type, index) => {
    view.setUint32(start + index * size, type, true);
  });
  return bytes;
}
