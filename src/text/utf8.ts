/** UTF-8, strictly. */

/**
 * The standard's decoder. Node.js has it, and the native program provides this form of it (native/quickjs-engine.c).
 *
 * @see https://encoding.spec.whatwg.org/#interface-textdecoder
 */
declare const TextDecoder: new (
  label: "utf-8",
  options: { readonly fatal: true; readonly ignoreBOM: true },
) => { decode(bytes: Uint8Array): string };

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Code units converted at once; JavaScript engines limit the number of arguments of a call. */
const CHUNK = 4096;

/** Decodes bytes as U+0000 to U+00FF, for text whose encoding does not matter. */
export function decodeLatin1(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let position = start; position < end; position += CHUNK) {
    const units: ArrayLike<number> = bytes.subarray(position, Math.min(position + CHUNK, end));
    text += String.fromCharCode.apply(null, units as number[]);
  }
  return text;
}

/**
 * Decodes strict UTF-8: overlong forms, surrogates, code points above U+10FFFF and truncated sequences are invalid.
 * Replaces nothing and keeps a byte order mark.
 *
 * @param start offset of the first byte.
 * @param end offset after the last byte; at most the array's length.
 * @returns `undefined` when the bytes are not UTF-8.
 */
export function decodeUtf8(bytes: Uint8Array, start = 0, end = bytes.length): string | undefined {
  try {
    return decoder.decode(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
  } catch {
    return undefined;
  }
}

const isPair = (text: string, index: number): boolean =>
  (text.charCodeAt(index) & 0xfc00) === 0xd800 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00;

/** Returns the number of bytes of a string in UTF-8. A lone surrogate counts as U+FFFD. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) length += unit >= 0x800 ? 2 : 1;
    if (isPair(text, index)) index++;
  }
  return length;
}

/**
 * Encodes a text as UTF-8, without a terminating NUL.
 *
 * A lone surrogate, which no file name can contain, becomes U+FFFD.
 */
export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) return encodeFrom(text, index, bytes);
    bytes[index] = unit;
  }
  return bytes;
}

/** @param head the bytes of the first `index` characters, all ASCII. */
function encodeFrom(text: string, index: number, head: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(utf8Length(text));
  bytes.set(head.subarray(0, index));
  let position = index;
  for (; index < text.length; index++) {
    let point = text.charCodeAt(index);
    if (point < 0x80) {
      bytes[position++] = point;
      continue;
    }
    if (isPair(text, index)) {
      point = 0x10000 + ((point & 0x3ff) << 10) + (text.charCodeAt(++index) & 0x3ff);
    } else if ((point & 0xf800) === 0xd800) {
      point = 0xfffd;
    }
    if (point < 0x800) {
      bytes[position++] = 0xc0 | (point >> 6);
    } else {
      if (point < 0x10000) {
        bytes[position++] = 0xe0 | (point >> 12);
      } else {
        bytes[position++] = 0xf0 | (point >> 18);
        bytes[position++] = 0x80 | ((point >> 12) & 0x3f);
      }
      bytes[position++] = 0x80 | ((point >> 6) & 0x3f);
    }
    bytes[position++] = 0x80 | (point & 0x3f);
  }
  return bytes;
}
