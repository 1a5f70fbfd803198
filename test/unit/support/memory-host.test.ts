import { describe, expect, it } from "vitest";
import { NvociError } from "../../../src/model/errors.ts";
import { hostPath } from "../../../src/model/paths.ts";
import { memoryHost } from "../../support/host/memory-host.ts";

const host = memoryHost(`
  dir /usr/lib 0711 3:4
  file /usr/lib/libx.so 0640 1:2 = "a\\nb"
  file "/with blank/f"
  symlink /lib -> usr/lib
  symlink /loop -> loop
  symlink /dangling -> /nowhere
  char /dev/nvmap 10:50 0660 0:44
  block /dev/sda 8:0
  fifo /run/pipe
  file /secret 0000
`);

describe("memoryHost()", () => {
  it("returns type, mode, owner and size", () => {
    expect(host.lstat(hostPath("/usr/lib"))).toMatchObject({
      type: "directory",
      mode: 0o711,
      uid: 3,
      gid: 4,
    });
    expect(host.lstat(hostPath("/usr/lib/libx.so"))).toEqual({
      type: "file",
      mode: 0o640,
      uid: 1,
      gid: 2,
      size: 3,
      major: 0,
      minor: 0,
    });
    expect(host.lstat(hostPath("/lib"))).toMatchObject({ type: "symlink", mode: 0o777 });
    expect(host.lstat(hostPath("/with blank/f"))).toMatchObject({ type: "file" });
  });

  it("returns the number, mode and owner of device nodes", () => {
    const node = { type: "character-device", mode: 0o660, uid: 0, gid: 44, major: 10, minor: 50 };
    expect(host.lstat(hostPath("/dev/nvmap"))).toMatchObject(node);
    expect(host.lstat(hostPath("/dev/sda"))).toMatchObject({ type: "block-device", major: 8, minor: 0 });
    expect(host.lstat(hostPath("/run/pipe"))).toMatchObject({ type: "fifo" });
  });

  it("follows links in the directory part but not in the last component", () => {
    expect(host.lstat(hostPath("/lib/libx.so"))).toMatchObject({ type: "file" });
    expect(host.realPath(hostPath("/lib/libx.so"))).toBe("/usr/lib/libx.so");
    expect(host.readLink(hostPath("/lib"))).toBe("usr/lib");
    expect(new TextDecoder().decode(host.readFile(hostPath("/lib/libx.so")))).toBe("a\nb");
  });

  it("returns undefined for a missing path", () => {
    for (const path of ["/nowhere", "/usr/lib/libx.so/x", "/loop/x"]) {
      expect(host.lstat(hostPath(path)), path).toBeUndefined();
      expect(host.readFile(hostPath(path)), path).toBeUndefined();
      expect(host.readDirectory(hostPath(path)), path).toBeUndefined();
    }
    expect(host.realPath(hostPath("/dangling"))).toBeUndefined();
    expect(host.realPath(hostPath("/loop"))).toBeUndefined();
    expect(host.readLink(hostPath("/usr/lib"))).toBeUndefined();
  });

  it("refuses files that the mode forbids or that are too large, and anything but a file", () => {
    expect(() => host.readFile(hostPath("/secret"))).toThrow(NvociError);
    expect(() => host.readFile(hostPath("/usr/lib/libx.so"), 2)).toThrow(NvociError);
    expect(() => host.readFile(hostPath("/usr/lib"))).toThrow(NvociError);
    expect(() => host.readFile(hostPath("/run/pipe"))).toThrow(NvociError);
  });

  it("reads part of a file, cut at its end", () => {
    expect(host.readRange(hostPath("/usr/lib/libx.so"), 1, 9)).toEqual(Uint8Array.of(10, 98));
    expect(host.readRange(hostPath("/nowhere"), 0, 1)).toBeUndefined();
  });

  it("counts queries", () => {
    const counted = memoryHost("file /x");
    counted.lstat(hostPath("/x"));
    counted.lstat(hostPath("/y"));
    expect(counted.calls).toMatchObject({ lstat: 2, readFile: 0 });
  });

  it.each([
    "file x",
    "symlink /a b",
    "char /dev/x",
    "dir /a nonsense",
    "what /a",
    "file /a = ",
  ])("refuses the line %j", (line) => {
    expect(() => memoryHost([line])).toThrow("not a line of a tree");
  });
});
