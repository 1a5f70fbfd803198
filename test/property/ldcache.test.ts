import fc from "fast-check";
import { expect, it } from "vitest";
import { LdCacheError } from "../../src/ldcache/decode-entries.ts";
import { decodeLdCache } from "../../src/ldcache/decode-ld-cache.ts";
import { ldCacheBytes } from "../support/host/ld-cache-bytes.ts";

const text = fc.string({ unit: fc.constantFrom("a", "/", ".", "-", "ü", "9"), minLength: 1, maxLength: 12 });
const entry = fc.record({ name: text, path: text });
const format = fc.constantFrom("old" as const, "compat" as const, "new" as const);

it("decodeLdCache() returns what was written, in each layout", () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 20 }), format, (entries, layout) => {
      const cache = decodeLdCache(ldCacheBytes(entries, { format: layout, generator: "ldconfig" }));
      expect(cache.map(({ name, path }) => ({ name, path }))).toEqual(entries);
    }),
  );
});

const mutation = fc.oneof(
  // Damages whole 32-bit values, because counts and offsets matter; most of them in the headers.
  fc.record({
    at: fc.nat(),
    near: fc.boolean(),
    word: fc.oneof(
      fc.nat(300),
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.constantFrom(0x4000_0000, 0xeaa42174),
    ),
  }),
  fc.record({ cut: fc.nat() }),
);

it("decodeLdCache() refuses a damaged cache with field and byte, or returns strings of the file", () => {
  fc.assert(
    fc.property(
      fc.array(entry, { minLength: 1, maxLength: 6 }),
      format,
      fc.array(mutation, { minLength: 1, maxLength: 4 }),
      (entries, layout, mutations) => {
        const made = entries.map((one, i) => (i === 0 ? { ...one, hwcaps: 0 } : one));
        let bytes = Buffer.from(ldCacheBytes(made, { format: layout, hwcaps: ["v3"], generator: "g" }));
        for (const one of mutations) {
          if ("cut" in one) bytes = bytes.subarray(0, one.cut % (bytes.length + 1));
          else if (bytes.length >= 4) {
            const span = one.near ? Math.min(80, bytes.length - 3) : bytes.length - 3;
            bytes.writeUInt32LE(one.word, one.at % span);
          }
        }
        try {
          for (const { name, path } of decodeLdCache(bytes)) {
            expect(bytes.includes(`${name}\0`)).toBe(true);
            expect(bytes.includes(`${path}\0`)).toBe(true);
          }
        } catch (error) {
          if (!(error instanceof LdCacheError)) throw error;
          expect(error.field).not.toBe("");
          expect(Number.isSafeInteger(error.offset) && error.offset >= 0).toBe(true);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

it("decodeLdCache() refuses any other bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(() => decodeLdCache(bytes)).toThrow(LdCacheError);
    }),
  );
});
