/** UTF-8 in plain ECMAScript, because QuickJS has neither TextDecoder nor Buffer. */

/** Code units converted at once; JavaScript engines limit the number of arguments of a call. */
const CHUNK = 4096;

/** For fewer bytes, creating a view of 32-bit words costs more than it saves. */
const WORTH_A_VIEW = 64;

/** The high bit of each byte of a word. */
const SIGN_BITS = 0x80808080;

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  let position = start;
  if (end - start >= WORTH_A_VIEW) {
    while ((bytes.byteOffset + position) & 3) if (bytes[position++]! >= 0x80) return false;
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset + position, (end - position) >> 2);
    const fours = words.length & ~3;
    for (let index = 0; index < fours; index += 4) {
      if ((words[index]! | words[index + 1]! | words[index + 2]! | words[index + 3]!) & SIGN_BITS)
        return false;
    }
    position += fours * 4;
  }
  for (; position < end; position++) if (bytes[position]! >= 0x80) return false;
  return true;
}

function fromUnits(units: ArrayLike<number>): string {
  return String.fromCharCode.apply(null, units as number[]);
}

/** Decodes bytes as U+0000 to U+00FF, for ASCII and for text whose encoding does not matter. */
export function decodeLatin1(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let position = start; position < end; position += CHUNK) {
    text += fromUnits(bytes.subarray(position, Math.min(position + CHUNK, end)));
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
 * @see RFC 3629 section 4, the table of well-formed sequences.
 */
export function decodeUtf8(bytes: Uint8Array, start = 0, end = bytes.length): string | undefined {
  if (isAscii(bytes, start, end)) return decodeLatin1(bytes, start, end);
  let text = "";
  let units: number[] = [];
  let position = start;
  while (position < end) {
    const lead = bytes[position++]!;
    if (lead < 0x80) {
      units.push(lead);
    } else {
      const following = lead < 0xc2 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : 0;
      if (following === 0 || position + following > end) return undefined;
      let point = lead & (0x3f >> following);
      for (let count = 0; count < following; count++) {
        const byte = bytes[position++]!;
        if ((byte & 0xc0) !== 0x80) return undefined;
        point = (point << 6) | (byte & 0x3f);
      }
      if (following === 2 && (point < 0x800 || (point >= 0xd800 && point < 0xe000))) return undefined;
      if (following === 3 && (point < 0x10000 || point > 0x10ffff)) return undefined;
      if (point < 0x10000) units.push(point);
      else units.push(0xd7c0 + (point >> 10), 0xdc00 | (point & 0x3ff));
    }
    if (units.length >= CHUNK) {
      text += fromUnits(units);
      units = [];
    }
  }
  return text + fromUnits(units);
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
