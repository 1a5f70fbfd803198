/** Refuses a file: says which field is wrong, at which byte, and why. */
export type Refuse = (field: string, offset: number, reason: string) => never;

/** Longest path with its NUL, in bytes. @see limits.h */
const PATH_MAX = 4096;

/** Reads little-endian fields of a byte array and refuses every one that lies outside it. */
export interface Cursor {
  /** Bytes that there are. */
  readonly length: number;
  /** Checks that `size` bytes lie at `offset`. */
  range(field: string, offset: number, size: number): void;
  u8(field: string, offset: number): number;
  u16(field: string, offset: number): number;
  u32(field: string, offset: number): number;
  /** A 64-bit number; refused beyond 2^53, where JavaScript cannot hold it. */
  u64(field: string, offset: number): number;
  /** Whether the ASCII text stands at `offset`; false also when it would not fit. */
  has(text: string, offset: number): boolean;
  /** Where the NUL stands that ends the string at `offset`: before `limit` and within PATH_MAX. */
  stringEnd(field: string, offset: number, limit: number): number;
}

/**
 * Makes a cursor over `bytes`. Offsets count from the first of them.
 *
 * @param refuse called for each access out of bounds, with the field's name from the format's own header file.
 */
export function cursor(bytes: Uint8Array, refuse: Refuse): Cursor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length;

  const range = (field: string, offset: number, size: number): void => {
    if (offset < 0 || size < 0 || offset + size > length) {
      refuse(field, offset, `${size} bytes do not fit into the file's ${length}`);
    }
  };
  const u32 = (field: string, offset: number): number => {
    range(field, offset, 4);
    return view.getUint32(offset, true);
  };

  return {
    length,
    range,
    u32,
    u8: (field, offset) => {
      range(field, offset, 1);
      return view.getUint8(offset);
    },
    u16: (field, offset) => {
      range(field, offset, 2);
      return view.getUint16(offset, true);
    },
    u64: (field, offset) => {
      const value = u32(field, offset + 4) * 0x1_0000_0000 + u32(field, offset);
      return Number.isSafeInteger(value)
        ? value
        : refuse(field, offset, "the number is larger than any file");
    },
    has: (text, offset) => {
      if (offset < 0 || offset + text.length > length) return false;
      for (let i = 0; i < text.length; i++) if (bytes[offset + i] !== text.charCodeAt(i)) return false;
      return true;
    },
    stringEnd: (field, offset, limit) => {
      range(field, offset, 1);
      const longest = bytes.subarray(offset, Math.min(limit, offset + PATH_MAX));
      const size = longest.indexOf(0);
      return size >= 0 ? offset + size : refuse(field, offset, "the string has no end");
    },
  };
}
