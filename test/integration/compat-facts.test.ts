import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { mustRun } from "../../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { readCompat } from "../../src/discover/compat/forward-compat.ts";
import { RootView } from "../../src/execute/rootfs/root-view.ts";
import { containerPath } from "../../src/model/paths.ts";
import { O_PATH } from "../../src/sys/constants.ts";
import { linux } from "../../src/sys/linux.ts";
import { CWD, type Syscalls } from "../../src/sys/syscalls.ts";
import { describeNeeding } from "../support/engines/prerequisites.ts";
import { madeCudaNote, noteElf } from "../support/host/note-elf.ts";
import { nodeEngine } from "../support/kernel/node-engine.ts";

const COMPAT = containerPath("/usr/local/cuda/compat");
const LIBRARY = "libcuda.so.575.57.08";
const ELF = noteElf([madeCudaNote({ format: 1, "CUDA version": "12.9", driver: [535, 550], device: [1] })]);
const FOUND = { fileName: LIBRARY, note: { cudaVersion: "12.9", drivers: [535, 550] } };

describeNeeding(["root", "build"], "readCompat()", () => {
  let system: Syscalls;
  const directory = temporaryDirectory("compat");
  beforeAll(() => {
    system = linux(nodeEngine());
  });
  afterAll(() => directory.remove());

  let count = 0;
  /** Makes an empty image, with a libcuda outside it. */
  const newImage = (): string => {
    const image = join(directory.path, `${count++}`, "image");
    mkdirSync(image, { recursive: true });
    mkdirSync(join(image, "../outside"));
    writeFileSync(join(image, "../outside", LIBRARY), ELF);
    return image;
  };
  const write = (image: string, path: string, content: string | Uint8Array = ELF): void => {
    mkdirSync(join(image, dirname(path)), { recursive: true });
    writeFileSync(join(image, path), content);
  };
  const link = (image: string, path: string, target: string): void => {
    mkdirSync(join(image, dirname(path)), { recursive: true });
    symlinkSync(target, join(image, path));
  };
  const read = (image: string): ReturnType<typeof readCompat> => {
    const before = readdirSync("/proc/self/fd").length;
    const root = system.openat(CWD, image, O_PATH | system.O_DIRECTORY);
    const compat = readCompat(new RootView(system, root), COMPAT);
    system.close(root);
    expect(readdirSync("/proc/self/fd")).toHaveLength(before);
    return compat;
  };

  it("finds the library and its note through the version's link, ignoring links next to it", () => {
    const image = newImage();
    write(image, `/usr/local/cuda-12.9/compat/${LIBRARY}`);
    link(image, "/usr/local/cuda-12.9/compat/libcuda.so.1", LIBRARY);
    link(image, "/usr/local/cuda-12.9/compat/libcuda.so", "libcuda.so.1");
    write(image, "/usr/local/cuda-12.9/compat/libcudadebugger.so.575.57.08", "");
    link(image, "/usr/local/cuda", "/etc/alternatives/cuda");
    link(image, "/etc/alternatives/cuda", "/usr/local/cuda-12.9");
    expect(read(image)).toEqual(FOUND);
  });

  it("finds a library without a note", () => {
    const image = newImage();
    write(image, `${COMPAT}/${LIBRARY}`, noteElf([]));
    expect(read(image)).toEqual({ fileName: LIBRARY, note: undefined });
  });

  it.each<[title: string, make: (image: string) => void]>([
    ["an image without the directory", () => {}],
    ["an empty directory", (image) => mkdirSync(join(image, COMPAT), { recursive: true })],
    ["a file in place of the directory", (image) => write(image, COMPAT)],
    ["a FIFO in place of the directory", (image) => makeFifo(image, COMPAT)],
    [
      "two libraries",
      (image) => ["1", "2"].forEach((n) => void write(image, `${COMPAT}/libcuda.so.575.${n}`)),
    ],
    [
      "a link in place of the library",
      (image) => {
        write(image, `/opt/${LIBRARY}`);
        link(image, `${COMPAT}/${LIBRARY}`, `/opt/${LIBRARY}`);
      },
    ],
    [
      "a link out of the image in place of the library",
      (image) => link(image, `${COMPAT}/${LIBRARY}`, join(image, "../outside", LIBRARY)),
    ],
    ["a link to itself in place of the directory", (image) => link(image, COMPAT, "compat")],
    [
      "a loop of links",
      (image) => {
        link(image, "/usr/local/cuda", "/usr/local/other");
        link(image, "/usr/local/other", "cuda");
      },
    ],
    [
      "an absolute link out of the image in place of the directory",
      (image) => link(image, COMPAT, join(image, "../outside")),
    ],
    [
      "a relative link out of the image in place of the directory",
      (image) => link(image, COMPAT, "../../../../../../../outside"),
    ],
    ["a FIFO in place of the library", (image) => makeFifo(image, `${COMPAT}/${LIBRARY}`)],
    [
      "a directory in place of the library",
      (image) => mkdirSync(join(image, COMPAT, LIBRARY), { recursive: true }),
    ],
    [
      "a device in place of the library",
      (image) => {
        mkdirSync(join(image, COMPAT), { recursive: true });
        mustRun(["mknod", join(image, COMPAT, LIBRARY), "c", "1", "5"]);
      },
    ],
    ["an empty file", (image) => write(image, `${COMPAT}/${LIBRARY}`, "")],
    [
      "a file that is not an ELF file",
      (image) => write(image, `${COMPAT}/${LIBRARY}`, "#!/bin/sh\n".repeat(100)),
    ],
    ["a truncated ELF file", (image) => write(image, `${COMPAT}/${LIBRARY}`, ELF.subarray(0, 100))],
    ["a gigabyte of notes", (image) => write(image, `${COMPAT}/${LIBRARY}`, withNotesOf(1 << 30))],
    ["too many program headers", (image) => write(image, `${COMPAT}/${LIBRARY}`, withSegments(4000))],
  ])("finds nothing given %s", (_, make) => {
    const image = newImage();
    make(image);
    expect(read(image)).toBeUndefined();
  });

  it("counts only regular files when it requires exactly one", () => {
    const image = newImage();
    write(image, `${COMPAT}/${LIBRARY}`);
    link(image, `${COMPAT}/libcuda.so.570.1`, LIBRARY);
    makeFifo(image, `${COMPAT}/libcuda.so.571.1`);
    expect(read(image)).toEqual(FOUND);
  });

  it("ignores a note with a value that no libcuda has", () => {
    const image = newImage();
    write(image, `${COMPAT}/${LIBRARY}`, noteElf([madeCudaNote({ "CUDA version": "12.9; rm -rf /" })]));
    expect(read(image)?.note).toBeUndefined();
  });

  const makeFifo = (image: string, path: string): void => {
    mkdirSync(join(image, dirname(path)), { recursive: true });
    mustRun(["mkfifo", join(image, path)]);
    chmodSync(join(image, path), 0o666);
  };
  /** Sets the size of the note segment in the file's only program header. */
  const withNotesOf = (size: number): Uint8Array => {
    const elf = Buffer.from(ELF);
    elf.writeUInt32LE(size, 64 + 32);
    return elf;
  };
  /** Repeats the note segment's program header. */
  const withSegments = (segments: number): Uint8Array => {
    const elf = Buffer.from(ELF);
    elf.writeUInt16LE(segments, 56);
    return Buffer.concat([elf, Buffer.alloc(segments * 56)]);
  };
});
