import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeDevice } from "../../../src/sys/constants.ts";

describe("encodeDevice()", () => {
  // stat(1) prints these as %D for such nodes.
  it.each([
    [{ major: 1, minor: 3 }, 0x103],
    [{ major: 195, minor: 255 }, 0xc3ff],
    [{ major: 507, minor: 256 }, 0x11fb00],
    [{ major: 0xfff, minor: 0xfffff }, 0xffffffff],
  ])("packs %o as the kernel does", (device, packed) => {
    expect(encodeDevice(device)).toBe(packed);
  });

  it("maps different numbers to different results", () => {
    const major = fc.nat(0xfff);
    const minor = fc.nat(0xfffff);
    fc.assert(
      fc.property(major, minor, (a, b) => {
        const packed = encodeDevice({ major: a, minor: b });
        expect(packed).toBeGreaterThanOrEqual(0);
        expect((packed >>> 8) & 0xfff).toBe(a);
        expect((packed & 0xff) + (packed >>> 20) * 256).toBe(b);
      }),
    );
  });

  it.each([
    { major: 4096, minor: 0 },
    { major: 0, minor: 1 << 20 },
    { major: -1, minor: 0 },
    { major: 0, minor: -1 },
    { major: Number.NaN, minor: 0 },
  ])("refuses %o", (device) => {
    expect(() => encodeDevice(device)).toThrow(RangeError);
  });
});
