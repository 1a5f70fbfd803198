/** What a made-up shared object says about itself. */
export interface SharedObjectOptions {
  readonly needed?: readonly string[];
  /** `e_machine`. Default: the machine the tests run on, so that its ldconfig(8) lists the object. */
  readonly machine?: number;
  /** Text after the last section, to make two objects differ. */
  readonly tail?: string;
}

const EM_X86_64 = 62;
const EM_AARCH64 = 183;
const HEADER = 64;
const PROGRAM_HEADER = 56;
const DYNAMIC_ENTRY = 16;
const SYMBOL = 24;
const DT = { null: 0, needed: 1, hash: 4, strtab: 5, symtab: 6, strsz: 10, syment: 11, soname: 14 } as const;

/**
 * Writes a small ELF64 shared object that ldconfig(8) lists under its SONAME and ld.so(8) can load. It holds no
 * code and defines no symbol.
 *
 * @see elf(5)
 */
export function sharedObject(soname: string, options: SharedObjectOptions = {}): Uint8Array {
  const needed = options.needed ?? [];
  const machine = options.machine ?? (process.arch === "arm64" ? EM_AARCH64 : EM_X86_64);

  let strings = "\0";
  const intern = (text: string): number => {
    const offset = Buffer.byteLength(strings);
    strings += `${text}\0`;
    return offset;
  };
  const dynamic: [number, number][] = [[DT.soname, intern(soname)]];
  for (const name of needed) dynamic.push([DT.needed, intern(name)]);

  const dynamicAt = HEADER + 3 * PROGRAM_HEADER;
  const dynamicSize = (dynamic.length + 6) * DYNAMIC_ENTRY;
  const symbolsAt = dynamicAt + dynamicSize;
  const hashAt = symbolsAt + SYMBOL;
  const stringsAt = hashAt + 16;
  const text = Buffer.from(strings);
  const size = stringsAt + text.length;
  dynamic.push([DT.hash, hashAt], [DT.symtab, symbolsAt], [DT.strtab, stringsAt]);
  dynamic.push([DT.strsz, text.length], [DT.syment, SYMBOL], [DT.null, 0]);

  const file = Buffer.alloc(size);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeUInt16LE(3, 16); // ET_DYN
  file.writeUInt16LE(machine, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(HEADER), 32);
  file.writeUInt16LE(HEADER, 52);
  file.writeUInt16LE(PROGRAM_HEADER, 54);
  file.writeUInt16LE(3, 56);

  const segment = (index: number, type: number, flags: number, at: number, length: number, align: number) => {
    const header = HEADER + index * PROGRAM_HEADER;
    file.writeUInt32LE(type, header);
    file.writeUInt32LE(flags, header + 4);
    for (const [field, value] of [at, at, at, length, length, align].entries()) {
      file.writeBigUInt64LE(BigInt(value), header + 8 + 8 * field);
    }
  };
  // The loader relocates the dynamic section in place: the segment has to be writable.
  segment(0, 1, 6, 0, size, 0x1000);
  segment(1, 2, 6, dynamicAt, dynamicSize, 8);
  segment(2, 0x6474e551, 6, 0, 0, 16); // PT_GNU_STACK: without it old loaders want an executable stack

  for (const [index, [tag, value]] of dynamic.entries()) {
    file.writeBigUInt64LE(BigInt(tag), dynamicAt + index * DYNAMIC_ENTRY);
    file.writeBigUInt64LE(BigInt(value), dynamicAt + index * DYNAMIC_ENTRY + 8);
  }
  // One bucket, one chain: the null symbol.
  file.writeUInt32LE(1, hashAt);
  file.writeUInt32LE(1, hashAt + 4);
  text.copy(file, stringsAt);
  return Buffer.concat([file, Buffer.from(options.tail ?? "")]);
}
