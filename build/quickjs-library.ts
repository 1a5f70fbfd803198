import { existsSync, mkdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { fingerprint, hostCompiler } from "./compiler.ts";
import { muslCompiler } from "./musl.ts";
import { pinnedSource, SOURCES } from "./pinned-source.ts";

/** The files of QuickJS that the program needs, without `.c`. */
export const LIBRARY = ["quickjs", "libregexp", "libunicode", "cutils", "dtoa"];

/** Flags for all C files of the native program. QuickJS relies on signed overflow (-fwrapv). */
export const FLAGS = [
  "-O2",
  "-fwrapv",
  "-ffunction-sections",
  "-fdata-sections",
  "-fno-strict-aliasing",
  "-fno-asynchronous-unwind-tables",
  "-fno-pie",
];

/** More flags for QuickJS' own files. */
export const definitions = ["-D_GNU_SOURCE", `-DCONFIG_VERSION="${SOURCES.quickjs.version}"`];

/**
 * Compiles QuickJS for an architecture, without quickjs-libc, once per compiler and flags.
 *
 * @returns the object files and the directory of quickjs.h.
 */
export function quickjsLibrary(arch: string): { objects: string[]; include: string } {
  const { compile, identity } = muslCompiler(arch);
  const source = pinnedSource("quickjs");
  const flags = [...FLAGS, ...definitions, "-w", `-ffile-prefix-map=${source}=quickjs`];
  const directory = join(dirname(source), `${arch}-${fingerprint(identity, FLAGS, definitions)}`);
  mkdirSync(directory, { recursive: true });
  const objects = LIBRARY.map((name) => {
    const object = join(directory, `${name}.o`);
    atomically(object, (output) => compile([...flags, "-c", "-o", output, join(source, `${name}.c`)]));
    return object;
  });
  return { objects, include: source };
}

/** Builds the bytecode compiler for this machine from the same sources, and returns its path. */
export function qjsc(): string {
  const { compile, identity } = hostCompiler();
  const source = pinnedSource("quickjs");
  const program = join(dirname(source), `qjsc-${fingerprint(identity)}`);
  const files = [...LIBRARY, "quickjs-libc", "qjsc"].map((name) => join(source, `${name}.c`));
  const paths = ['-DCONFIG_CC="cc"', '-DCONFIG_PREFIX="/usr"'];
  const flags = ["-O1", "-fwrapv", "-w", ...definitions, ...paths];
  atomically(program, (output) => compile([...flags, "-o", output, ...files, "-lm", "-ldl", "-lpthread"]));
  return program;
}

function atomically(path: string, make: (unfinished: string) => void): void {
  if (existsSync(path)) return;
  const unfinished = `${path}.${process.pid}`;
  make(unfinished);
  renameSync(unfinished, path);
}
