import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { mustRun } from "../../../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../../../fixtures/run/temporary-directory.ts";

/** The name in libcuda's note. */
const OWNER = "NVIDIA Corporation";

/**
 * Compiles a libcuda like that of a CUDA forward compatibility package. A program that `compileCuda()` made prints
 * `value` if it finds this library, and 535 if it finds the fake host's.
 *
 * @param note the JSON of its note; `undefined` for a library without one.
 */
function compileCompat(value: number, note: object | undefined): Uint8Array {
  const directory = temporaryDirectory("compat-library");
  try {
    const at = (name: string): string => join(directory.path, name);
    writeFileSync(
      at("library.c"),
      `int cuda(void) { return ${value}; }\n${note === undefined ? "" : noteOf(note)}`,
    );
    const flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-Wl,-soname,libcuda.so.1"];
    mustRun([process.env.CC ?? "gcc", ...flags, "-o", at("library.so"), at("library.c")]);
    return readFileSync(at("library.so"));
  } finally {
    directory.remove();
  }
}

/**
 * Returns C that puts a note into the library. As in the real ones, the section has the padding that the size includes,
 * except on Orin, whose note lists no branches.
 */
function noteOf(note: object): string {
  const isPadded = "driver" in note;
  const text = JSON.stringify(JSON.stringify(note));
  return `
static const struct ${isPadded ? "" : "__attribute__((packed)) "}{
  unsigned sizes[3];
  char owner[20];
  char text[sizeof ${text}];
} note __attribute__((section(".note.cuda.fwd_compatibility,\\"a\\",@note#"), aligned(4), used)) =
  {{${OWNER.length + 1}, (sizeof ${text} + 3) & ~3u, 0}, "${OWNER}", ${text}};
`;
}

/** Puts a libcuda and the links to it into an image, as a CUDA forward compatibility package does. */
export function installCompat(rootfs: string, path: string, value: number, note: object | undefined): void {
  const file = join(rootfs, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, compileCompat(value, note), { mode: 0o755 });
  mustRun(["ln", "-sf", path.split("/").at(-1) ?? "", join(dirname(file), "libcuda.so.1")]);
}
