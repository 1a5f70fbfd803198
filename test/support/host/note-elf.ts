/** A note of a generated ELF file. */
interface MadeNote {
  readonly owner: string;
  readonly type: number;
  readonly description: Uint8Array | string;
}

/** Returns an ELF file that contains only notes, in a segment or only in a section. */
export function noteElf(
  notes: readonly MadeNote[],
  {
    bits = 64,
    place = "segment",
    cut = 0,
  }: { bits?: 32 | 64; place?: "segment" | "section" /** Bytes missing at the end. */; cut?: number } = {},
): Uint8Array {
  const headerSize = bits === 64 ? 64 : 52;
  const partSize = place === "segment" ? (bits === 64 ? 56 : 32) : bits === 64 ? 64 : 40;
  const whole = Buffer.concat(notes.map(noteBytes));
  const content = whole.subarray(0, whole.length - cut);
  const contentAt = headerSize + partSize;
  const header = Buffer.alloc(headerSize);
  header.set([0x7f, 0x45, 0x4c, 0x46, bits / 32, 1, 1]);
  header.writeUInt16LE(bits === 64 ? 62 : 3, 18);
  // e_phoff or e_shoff, then e_phnum or e_shnum
  const [tableAt, countAt] =
    place === "segment" ? (bits === 64 ? [32, 56] : [28, 44]) : bits === 64 ? [40, 60] : [32, 48];
  header.writeUInt32LE(headerSize, tableAt);
  header.writeUInt16LE(1, countAt);

  const part = Buffer.alloc(partSize);
  const [typeAt, type] = place === "segment" ? [0, 4] : [4, 7];
  const [offsetAt, sizeAt, alignmentAt] =
    place === "segment"
      ? bits === 64
        ? [8, 32, 48]
        : [4, 16, 28]
      : bits === 64
        ? [24, 32, 48]
        : [16, 20, 32];
  part.writeUInt32LE(type, typeAt);
  part.writeUInt32LE(contentAt, offsetAt);
  part.writeUInt32LE(content.length, sizeAt);
  part.writeUInt32LE(4, alignmentAt);
  return new Uint8Array(Buffer.concat([header, part, content]));
}

function noteBytes({ owner, type, description }: MadeNote): Buffer {
  const name = Buffer.from(`${owner}\0`);
  const text = Buffer.from(description);
  const header = Buffer.alloc(12);
  header.writeUInt32LE(name.length, 0);
  header.writeUInt32LE(text.length, 4);
  header.writeUInt32LE(type, 8);
  return Buffer.concat([header, padded(name), padded(text)]);
}

const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);

/** Returns the note by which a libcuda states its CUDA version. */
export const madeCudaNote = (content: unknown): MadeNote => ({
  owner: "NVIDIA Corporation",
  type: 1,
  description: JSON.stringify(content),
});

/** Returns the note by which a library states the kernel that it needs. */
export function madeAbiTag(system: number, ...version: readonly number[]): MadeNote {
  const description = Buffer.alloc(16);
  for (const [i, value] of [system, ...version].entries()) description.writeUInt32LE(value, 4 * i);
  return { owner: "GNU", type: 1, description };
}
