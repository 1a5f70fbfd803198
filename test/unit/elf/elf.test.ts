import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { sharedObject } from "../../../fixtures/host/shared-object.ts";
import { abiTag, cudaNote, readNotes } from "../../../src/elf/driver-notes.ts";
import { readDynamic } from "../../../src/elf/elf-dynamic.ts";
import { readElf } from "../../../src/elf/read-elf.ts";
import { catchError } from "../../support/cli/catch-error.ts";
import { madeAbiTag, madeCudaNote, noteElf } from "../../support/host/note-elf.ts";

/** Opens bytes as a file and counts the bytes read. */
function open(bytes: Uint8Array) {
  let read = 0;
  const elf = readElf("/lib/libx.so", (offset, length) => {
    const part = bytes.subarray(offset, offset + length);
    read += part.length;
    return part;
  });
  return { elf, bytesRead: () => read };
}

it("readDynamic() returns a library's own name and those it needs", () => {
  const { elf } = open(
    sharedObject("libGL.so.1", { needed: ["libnvidia-glcore.so.535.86.05", "libc.so.6"] }),
  );
  expect(readDynamic(elf)).toEqual({
    soname: "libGL.so.1",
    needed: ["libnvidia-glcore.so.535.86.05", "libc.so.6"],
  });
});

it("readElf() returns the width and the machine", () => {
  expect(open(sharedObject("libx.so.1", { machine: 183 })).elf).toMatchObject({ bits: 64, machine: 183 });
  expect(open(noteElf([], { bits: 32 })).elf).toMatchObject({ bits: 32, machine: 3 });
});

it("readDynamic() reads a few kilobytes of a library of any size", () => {
  const { elf, bytesRead } = open(sharedObject("libcuda.so.1", { tail: "x".repeat(1_000_000) }));
  expect(readDynamic(elf).soname).toBe("libcuda.so.1");
  expect(bytesRead()).toBeLessThan(4096);
});

it("readDynamic() returns no names for a file without a dynamic section", () => {
  expect(readDynamic(open(noteElf([])).elf)).toEqual({ soname: undefined, needed: [] });
});

it.each([
  [32, "segment"],
  [64, "segment"],
  [32, "section"],
  [64, "section"],
] as const)("readNotes() reads notes of a %i-bit file's %s", (bits, place) => {
  const notes = readNotes(open(noteElf([madeAbiTag(0, 2, 3, 99), madeCudaNote({})], { bits, place })).elf);
  expect(notes.map(({ owner, type }) => [owner, type])).toEqual([
    ["GNU", 1],
    ["NVIDIA Corporation", 1],
  ]);
  expect(abiTag(notes)).toEqual({ system: 0, version: "2.3.99" });
});

it("cudaNote() returns the CUDA version and the compatible drivers", () => {
  const content = { format: 1, "CUDA version": "12.9", driver: [535, 550], device: [1, 2] };
  expect(cudaNote(readNotes(open(noteElf([madeCudaNote(content)])).elf))).toEqual({
    cudaVersion: "12.9",
    drivers: [535, 550],
  });
});

it.each([
  ["invalid JSON", "{"],
  ["an array", "[]"],
  ["null", "null"],
  ["no version", "{}"],
  ["an invalid version", '{"CUDA version":"12.9; rm -rf /"}'],
  ["a number for a version", '{"CUDA version":12.9}'],
])("cudaNote() is undefined for %s", (_what, description) => {
  const notes = readNotes(open(noteElf([{ owner: "NVIDIA Corporation", type: 1, description }])).elf);
  expect(cudaNote(notes)).toBeUndefined();
});

/** The note of Orin's libcuda in CUDA 13.2.1: 41 bytes by its header, of which its section contains 39. */
const ORIN_NOTE = {
  ...madeCudaNote({}),
  description: '{"format":1,"CUDA version":"13.2"}\0'.padEnd(41, "\0"),
};

it.each([
  "segment",
  "section",
] as const)("readNotes() accepts a last note without its padding in a %s", (place) => {
  const bytes = noteElf([madeAbiTag(0, 2, 3, 99), ORIN_NOTE], { place, cut: 5 });
  expect(cudaNote(readNotes(open(bytes).elf))).toEqual({ cudaVersion: "13.2", drivers: [] });
});

it("readNotes() refuses a note that lacks more than its padding", () => {
  const bytes = noteElf([ORIN_NOTE], { cut: 7 });
  expect(catchError(() => readNotes(open(bytes).elf)).code).toBe("file-invalid");
});

it("abiTag() ignores a short or foreign note", () => {
  const short = { owner: "GNU", type: 1, description: "1234" };
  const foreign = { ...madeAbiTag(0, 2, 3, 99), owner: "BSD" };
  expect(abiTag(readNotes(open(noteElf([short, foreign])).elf))).toBeUndefined();
});

it.each<[what: string, change: (bytes: Buffer) => Uint8Array | undefined]>([
  ["that is empty", () => Buffer.alloc(0)],
  ["that is a script", () => Buffer.from("#!/bin/sh\n".repeat(10))],
  ["that is big-endian", (bytes) => void bytes.writeUInt8(2, 5)],
  ["of an unknown class", (bytes) => void bytes.writeUInt8(3, 4)],
  ["truncated within its header", (bytes) => bytes.subarray(0, 40)],
  ["whose program headers are outside the file", (bytes) => void bytes.writeUInt32LE(0x7fffffff, 32)],
  ["with an offset beyond any file", (bytes) => void bytes.writeUInt32LE(0xffffffff, 36)],
  ["with thousands of program headers", (bytes) => void bytes.writeUInt16LE(0xffff, 56)],
])("readElf() refuses a file %s", (_what, change) => {
  const bytes = Buffer.from(sharedObject("libx.so.1"));
  const error = catchError(() => open(change(bytes) ?? bytes));
  expect(error.code).toBe("file-invalid");
  expect(error.message).toContain('"/lib/libx.so"');
});

it("readDynamic() and readNotes() read a bounded part of the file", () => {
  const bytes = Buffer.from(noteElf([madeAbiTag(0, 2, 3, 99)]));
  bytes.writeUInt32LE(1 << 30, 64 + 32);
  expect(catchError(() => readNotes(open(bytes).elf)).code).toBe("file-invalid");
  bytes.writeUInt32LE(2, 64);
  expect(catchError(() => readDynamic(open(bytes).elf)).code).toBe("file-invalid");
});

it("readNotes() refuses a note that extends beyond its segment", () => {
  const bytes = Buffer.from(noteElf([madeAbiTag(0, 2, 3, 99)]));
  bytes.writeUInt32LE(1000, 64 + 56 + 4);
  expect(catchError(() => readNotes(open(bytes).elf)).code).toBe("file-invalid");
});

const LIBC = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib/aarch64-linux-gnu/libc.so.6", "/lib64/libc.so.6"].find(
  existsSync,
);

describe.skipIf(LIBC === undefined)("ELF readers on this machine's libc", () => {
  it("readDynamic() and abiTag() return what its authors wrote", () => {
    const { elf } = open(readFileSync(LIBC!));
    const { soname, needed } = readDynamic(elf);
    expect(soname).toBe("libc.so.6");
    expect(needed[0]).toMatch(/^ld-linux/);
    expect(abiTag(readNotes(elf))?.system).toBe(0);
  });
});
