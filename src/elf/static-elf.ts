/*
 * Small and separate from read-elf.ts, because every hook that runs a host's ldconfig loads this file. Only a
 * server's discovery reads the rest of an ELF file.
 */

const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];
const ELFCLASS64 = 2;
const PT_INTERP = 3;

/** Bytes at the start of a file that `isStaticElf` needs: they contain the headers of any real program. */
export const ELF_HEAD_BYTES = 4096;

/** Reports whether a file with these first bytes is an ELF file. */
export const isElf = (head: Uint8Array): boolean => ELF_MAGIC.every((byte, index) => head[index] === byte);

/**
 * Reports whether a file's first bytes are those of an ELF program without an interpreter: below another root, it
 * loads no dynamic linker and no library from there. Scripts and dynamic programs are not static.
 *
 * @param head the first `ELF_HEAD_BYTES` bytes, or the whole of a smaller file. A program with headers beyond them
 *   counts as dynamic.
 * @see elf(5)
 */
export function isStaticElf(head: Uint8Array): boolean {
  if (head.length < 64 || !isElf(head)) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const is64 = head[4] === ELFCLASS64;
  const start = is64 ? Number(view.getBigUint64(32, true)) : view.getUint32(28, true);
  const size = view.getUint16(is64 ? 54 : 42, true);
  const count = view.getUint16(is64 ? 56 : 44, true);
  for (let index = 0; index < count; index++) {
    const at = start + index * size;
    if (at + 4 > head.length) return false;
    if (view.getUint32(at, true) === PT_INTERP) return false;
  }
  return count > 0;
}
