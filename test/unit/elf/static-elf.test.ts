import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { sharedObject } from "../../../fixtures/host/shared-object.ts";
import { ELF_HEAD_BYTES, isStaticElf } from "../../../src/elf/static-elf.ts";
import { elfHead, PT_DYNAMIC, PT_INTERP, PT_LOAD } from "../../support/host/elf-head.ts";

const text = (content: string): Uint8Array => new TextEncoder().encode(content);

/** The first bytes of a program for the machine that runs the tests. */
const headOf = (path: string): Uint8Array => readFileSync(path).subarray(0, ELF_HEAD_BYTES);
const LDCONFIG = ["/sbin/ldconfig.real", "/sbin/ldconfig"].find((path) => existsSync(path)) ?? "";

describe("isStaticElf()", () => {
  it.each([32, 64] as const)("is true for a %i-bit program without an interpreter", (bits) => {
    expect(isStaticElf(elfHead({ bits, segments: [PT_LOAD, PT_LOAD] }))).toBe(true);
    expect(isStaticElf(elfHead({ bits, segments: [PT_LOAD, PT_DYNAMIC] }))).toBe(true);
  });

  it.each([
    32, 64,
  ] as const)("is false for a %i-bit program with an interpreter, wherever its header is", (bits) => {
    expect(isStaticElf(elfHead({ bits, segments: [PT_INTERP] }))).toBe(false);
    expect(isStaticElf(elfHead({ bits, segments: [PT_LOAD, PT_DYNAMIC, PT_INTERP] }))).toBe(false);
  });

  it("reads from the middle of a larger buffer", () => {
    const head = elfHead({ bits: 64, segments: [PT_LOAD] });
    const larger = new Uint8Array(head.length + 9).fill(0xff);
    larger.set(head, 5);
    expect(isStaticElf(larger.subarray(5, 5 + head.length))).toBe(true);
  });

  it("is false for a program whose headers are cut off", () => {
    const head = elfHead({ bits: 64, segments: [PT_LOAD, PT_LOAD, PT_LOAD] });
    expect(isStaticElf(head.subarray(0, head.length - 56))).toBe(false);
    const far = elfHead({ bits: 64, segments: [PT_LOAD], at: 8192 });
    expect(isStaticElf(far.subarray(0, ELF_HEAD_BYTES))).toBe(false);
    const beyond = elfHead({ bits: 64, segments: [PT_LOAD] });
    new DataView(beyond.buffer).setBigUint64(32, 2n ** 63n, true);
    expect(isStaticElf(beyond)).toBe(false);
  });

  it("is false for an object without program headers", () => {
    expect(isStaticElf(elfHead({ bits: 64, segments: [] }))).toBe(false);
  });

  it.each([
    ["a script", text(`#!/bin/sh\n${"# ldconfig\n".repeat(20)}`)],
    ["an empty file", new Uint8Array()],
    ["only the magic number", Uint8Array.of(0x7f, 0x45, 0x4c, 0x46)],
    ["zeros", new Uint8Array(ELF_HEAD_BYTES)],
    ["a truncated header", elfHead({ bits: 64, segments: [PT_LOAD] }).subarray(0, 63)],
  ])("is false for %s", (_, head) => {
    expect(isStaticElf(head)).toBe(false);
  });

  it("survives any damage to a header", () => {
    const head = elfHead({ bits: 64, segments: [PT_LOAD, PT_INTERP] });
    for (let at = 4; at < head.length; at++) {
      const damaged = head.slice();
      damaged[at] = 0xff;
      expect(typeof isStaticElf(damaged)).toBe("boolean");
    }
  });

  it("is true for a generated library, which names no interpreter", () => {
    expect(isStaticElf(sharedObject("libx.so.1"))).toBe(true);
  });

  it.skipIf(LDCONFIG === "")(
    "is true for this machine's ldconfig and false for its node (needs glibc's ldconfig)",
    () => {
      expect(isStaticElf(headOf(LDCONFIG))).toBe(true);
      expect(isStaticElf(headOf(process.execPath))).toBe(false);
    },
  );
});
