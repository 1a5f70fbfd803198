import { describe, expect, it } from "vitest";
import { isDebianLike, muslPathFile, toMultiarch } from "../../../src/discover/library-places.ts";
import { machineOf } from "../../../src/model/machine.ts";
import { DEBIAN_TREE, memoryImage } from "../../support/host/memory-image.ts";

const TRIPLET = "aarch64-linux-gnu";

describe("isDebianLike()", () => {
  it.each([
    "/etc/debian_version",
    `/usr/lib/${TRIPLET}/libc.so.6`,
    `/lib/${TRIPLET}/libc.so.6`,
  ])("is true with only %s", (present) => {
    expect(isDebianLike((path) => path === present, TRIPLET)).toBe(true);
  });

  it("is false with another processor's libraries or none", () => {
    expect(isDebianLike((path) => path === "/usr/lib/x86_64-linux-gnu/libc.so.6", TRIPLET)).toBe(false);
    expect(isDebianLike(() => false, TRIPLET)).toBe(false);
  });
});

describe("muslPathFile()", () => {
  const LOADER = "file /lib/ld-musl-x86_64.so.1";
  it.each([
    ["an image with musl", [LOADER], "/etc/ld-musl-x86_64.path"],
    [
      "one whose loader is a link",
      ["symlink /lib/ld-musl-x86_64.so.1 -> libc.so", "file /lib/libc.so"],
      "/etc/ld-musl-x86_64.path",
    ],
    [
      "one in which a start made a multiarch directory",
      [LOADER, "dir /usr/lib/x86_64-linux-gnu"],
      "/etc/ld-musl-x86_64.path",
    ],
    ["an image without musl", ["dir /lib"], undefined],
    ["one with another processor's musl", ["file /lib/ld-musl-aarch64.so.1"], undefined],
    ["one whose loader is a directory", ["dir /lib/ld-musl-x86_64.so.1"], undefined],
    ["a Debian-like image with the package musl", [...DEBIAN_TREE, LOADER], undefined],
  ])("finds the file of %s", (_, tree, path) => {
    expect(muslPathFile(memoryImage(tree), machineOf("x64"))).toBe(path);
  });
});

describe("toMultiarch()", () => {
  it.each([
    ["/usr/lib/libx.so", `/usr/lib/${TRIPLET}/libx.so`],
    ["/usr/lib/gbm/x.so", `/usr/lib/${TRIPLET}/gbm/x.so`],
    ["/usr/lib64/libx.so", `/usr/lib/${TRIPLET}/libx.so`],
    [`/usr/lib/${TRIPLET}x/libx.so`, `/usr/lib/${TRIPLET}/${TRIPLET}x/libx.so`],
  ])("moves %s to %s", (path, moved) => {
    expect(toMultiarch(path, TRIPLET)).toBe(moved);
  });

  it.each([
    "/usr/lib",
    `/usr/lib/${TRIPLET}`,
    `/usr/lib/${TRIPLET}/libx.so`,
    "/lib/firmware/x",
    "/usr/libexec/x",
    "/opt/usr/lib/x",
    "/usr/share/x",
  ])("does not move %s", (path) => {
    expect(toMultiarch(path, TRIPLET)).toBe(path);
  });
});
