import { describe, expect, it } from "vitest";
import { decodeStat, decodeStatx } from "../../../src/sys/structures.ts";
import { hexBytes } from "../../support/host/hex-bytes.ts";

/**
 * The same device node as three kernels describe it: 195:4862, inode 1234567890123, 1000:44, mode 0660, on a file
 * system of device 37:66305, changed 250 ms after second 1700000000. C programs wrote it with the kernel's
 * headers.
 */
const GENERIC = `
  01253010 00000000 cb04fb711f010000 b0210000 01000000 e8030000 2c000000 fec3200100000000 0000000000000000
  0000000000000000 00100000 00000000 0000000000000000 0100000000000000 0000000000000000 0200000000000000
  0000000000000000 00f1536500000000 80b2e60e00000000 0000000000000000`;
const X86 = `
  01253010 00000000 cb04fb711f010000 0100000000000000 b0210000 e8030000 2c000000 00000000 fec3200100000000
  0000000000000000 0010000000000000 0000000000000000 0100000000000000 0000000000000000 0200000000000000
  0000000000000000 00f1536500000000 80b2e60e00000000 000000000000000000000000000000000000000000000000`;
const NODE = {
  type: "character-device",
  mode: 0o660,
  uid: 1000,
  gid: 44,
  inode: 1234567890123,
  links: 1,
  size: 0,
  major: 195,
  minor: 4862,
  device: 37 * 2 ** 20 + 66305,
  changed: 1700000000.25,
};

/** struct statx of a file of 5 GB with mode 0755 on device 259:3. */
const STATX = `
  ff070000 00100000 0000000000000000 02000000 e8030000 2c000000 ed81 0000 cb04fb711f010000 00f2052a01000000
  0000000000000000 0000000000000000
  0100000000000000 00000000 00000000  0000000000000000 00000000 00000000
  00f1536500000000 80b2e60e 00000000  0200000000000000 00000000 00000000
  00000000 00000000 03010000 03000000 ${"00".repeat(112)}`;

const viewOf = (text: string): DataView => new DataView(hexBytes(text).buffer);

const wordsOf = (view: DataView): Uint32Array => new Uint32Array(view.buffer, 0, view.byteLength >> 2);

/** A struct stat with only a mode. */
function statWithMode(mode: number): DataView {
  const view = new DataView(new ArrayBuffer(144));
  view.setUint32(24, mode, true);
  return view;
}

describe("decodeStat()", () => {
  it("reads arm64's struct stat", () => {
    expect(decodeStat(viewOf(GENERIC), "arm64")).toEqual(NODE);
  });

  it("reads x86_64's struct stat", () => {
    expect(decodeStat(viewOf(X86), "x64")).toEqual(NODE);
  });

  it("distinguishes the two machines' layouts", () => {
    expect(decodeStat(viewOf(X86), "arm64")).not.toEqual(NODE);
  });

  it.each([
    [0o100644, "file", 0o644],
    [0o041777, "directory", 0o1777],
    [0o120777, "symlink", 0o777],
    [0o020666, "character-device", 0o666],
    [0o060660, "block-device", 0o660],
    [0o010600, "fifo", 0o600],
    [0o140755, "socket", 0o755],
    [0o104755, "file", 0o4755],
  ])("splits mode %o into type and permissions", (mode, type, permissions) => {
    expect(decodeStat(statWithMode(mode), "x64")).toMatchObject({ type, mode: permissions });
  });
});

describe("decodeStatx()", () => {
  it("reads type, owner, inode, a size above 32 bits, change time and device", () => {
    expect(decodeStatx(wordsOf(viewOf(STATX)))).toEqual({
      type: "file",
      mode: 0o755,
      uid: 1000,
      gid: 44,
      inode: 1234567890123,
      links: 2,
      size: 5_000_000_000,
      major: 0,
      minor: 0,
      device: 259 * 2 ** 20 + 3,
      changed: 1700000000.25,
    });
  });

  it("reads the number of a device node", () => {
    const view = viewOf(STATX);
    view.setUint16(28, 0o020666, true);
    view.setUint32(128, 195, true);
    view.setUint32(132, 255, true);
    expect(decodeStatx(wordsOf(view))).toMatchObject({
      type: "character-device",
      mode: 0o666,
      major: 195,
      minor: 255,
    });
  });
});
