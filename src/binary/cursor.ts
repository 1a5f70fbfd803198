/** Refuses a file: throws an error that names the wrong field, its offset and the reason. */
export type Refuse = (field: string, offset: number, reason: string) => never;

/** Bytes of the longest path, including its NUL. @see limits.h */
const PATH_MAX = 4096;

/** Reads little-endian fields of a byte array. Refuses every field outside the array. */
export interface Cursor {
  /** Number of bytes. */
  readonly length: number;
  /** Checks that the array contains `size` bytes at `offset`. */
  range(field: string, offset: number, size: number): void;
  u8(field: string, offset: number): number;
  u16(field: string, offset: number): number;
  u32(field: string, offset: number): number;
  /** Reads a 64-bit number. Refuses values of 2^53 and more, which JavaScript cannot represent. */
  u64(field: string, offset: number): number;
  /** Reports whether the array contains the ASCII text at `offset`; false if it would not fit. */
  has(text: string, offset: number): boolean;
  /** Returns the offset of the NUL that ends the string at `offset`: before `limit` and within PATH_MAX. */
  stringEnd(field: string, offset: number, limit: number): number;
}

/**
 * Makes a cursor over `bytes`. Offsets count from the first byte.
 *
 * @param refuse called for each access out of bounds, with the field's name in the format's header file.
 */
export function cursor(bytes: Uint8Array, refuse: Refuse): Cursor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length;

  const range = (field: string, offset: number, size: number): void => {
    if (offset < 0 || size < 0 || offset + size > length) {
      refuse(field, offset, `${size} bytes exceed the file's ${length}`);
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
      return Number.isSafeInteger(value) ? value : refuse(field, offset, "the value exceeds 2^53");
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
      return size >= 0 ? offset + size : refuse(field, offset, "the string is not terminated");
    },
  };
}
