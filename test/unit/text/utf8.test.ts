import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeUtf8, encodeUtf8, utf8Length } from "../../../src/text/utf8.ts";

const oracle = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
};

describe("decodeUtf8()", () => {
  it("reads characters of one to four bytes", () => {
    const text = "aé€😀".repeat(3000);
    expect(decodeUtf8(new TextEncoder().encode(text))).toBe(text);
  });

  it("reads only the bytes between start and end", () => {
    expect(decodeUtf8(new TextEncoder().encode("/usr/lib"), 5, 8)).toBe("lib");
  });

  it("keeps a byte order mark", () => {
    expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("\ufeffa");
  });

  it.each([
    ["a lone continuation byte", [0x80]],
    ["an overlong slash of two bytes", [0xc0, 0xaf]],
    ["an overlong slash of three bytes", [0xe0, 0x80, 0xaf]],
    ["an overlong slash of four bytes", [0xf0, 0x80, 0x80, 0xaf]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["a code point above U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
    ["an invalid lead byte", [0xff]],
    ["a sequence truncated at the end", [0x61, 0xe2, 0x82]],
    ["a sequence truncated by the next one", [0xc3, 0x41]],
  ])("refuses %s", (_, bytes) => {
    expect(decodeUtf8(Uint8Array.from(bytes))).toBeUndefined();
  });

  it("does not read past end to complete a sequence", () => {
    expect(decodeUtf8(Uint8Array.of(0x61, 0xc3, 0xa9), 0, 2)).toBeUndefined();
  });

  it("agrees with TextDecoder on any bytes at any alignment", () => {
    const byte = fc.oneof(fc.nat(255), fc.constantFrom(0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 200 }), fc.nat(9), (list, start) => {
        const bytes = Uint8Array.from(list);
        const from = Math.min(start, bytes.length);
        expect(decodeUtf8(bytes, from)).toBe(oracle(bytes.subarray(from)));
        expect(decodeUtf8(bytes.subarray(from))).toBe(oracle(bytes.subarray(from)));
      }),
      { numRuns: 2000 },
    );
  });

  it("finds one byte above ASCII anywhere in a long run", () => {
    for (let at = 0; at < 80; at++) {
      const bytes = new Uint8Array(80).fill(0x61);
      bytes[at] = 0xff;
      expect(decodeUtf8(bytes), `at ${at}`).toBeUndefined();
    }
  });
});

describe("encodeUtf8()", () => {
  it("agrees with TextEncoder on any text, unpaired surrogates included", () => {
    const unit = fc.oneof(fc.nat(0xffff), fc.constantFrom(0xd83d, 0xde00, 0x61, 0xe9, 0x20ac));
    fc.assert(
      fc.property(fc.array(unit), (units) => {
        const text = String.fromCharCode(...units);
        const expected = new TextEncoder().encode(text);
        expect(encodeUtf8(text)).toEqual(expected);
        expect(utf8Length(text)).toBe(expected.length);
      }),
    );
  });
});
