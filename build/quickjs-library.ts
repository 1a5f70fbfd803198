import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Compiler, fingerprint, hostCompiler } from "./compiler.ts";
import { pinnedSource, SOURCES } from "./pinned-source.ts";
import { root } from "./root.ts";

const native = join(root, "src/sys/native");

/** The files of QuickJS that the program needs besides quickjs.c, which engine.c contains, without `.c`. */
export const LIBRARY = ["libregexp", "libunicode", "cutils", "dtoa"];

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
 * Compiles QuickJS for an architecture, without quickjs-libc, once per compiler, flags and symbols.
 *
 * @param musl the compiler.
 * @param symbols static names of quickjs.c that the heap needs; see src/sys/native/engine.c.
 * @returns the object files and the directory of quickjs.h.
 */
export function quickjsLibrary(
  arch: string,
  { compile, identity }: Compiler,
  symbols: readonly string[],
): { objects: string[]; include: string } {
  const source = pinnedSource("quickjs");
  const directory = join(dirname(source), `${arch}-${fingerprint(identity, FLAGS, definitions)}`);
  mkdirSync(directory, { recursive: true });
  const flags = [...FLAGS, ...definitions, "-w", `-ffile-prefix-map=${source}=quickjs`];
  const objects = LIBRARY.map((name) => {
    const object = join(directory, `${name}.o`);
    atomically(object, (output) => compile([...flags, "-c", "-o", output, join(source, `${name}.c`)]));
    return object;
  });
  const list = heapSymbols(symbols);
  const sources = ["engine.c", "heap.h"].map((name) => readFileSync(join(native, name), "utf8"));
  const engine = join(directory, `engine-${fingerprint(list, ...sources)}.o`);
  atomically(engine, (output) => {
    const include = `${output}.include`;
    mkdirSync(include);
    writeFileSync(join(include, "heap-symbols.h"), list);
    const paths = [`-I${include}`, `-I${source}`, `-ffile-prefix-map=${native}=native`];
    compile([...flags, ...paths, "-c", "-o", output, join(native, "engine.c")]);
    rmSync(include, { recursive: true });
  });
  return { objects: [engine, ...objects], include: source };
}

/** Returns heap-symbols.h. */
export const heapSymbols = (symbols: readonly string[]): string =>
  symbols.map((name) => `NVOCI_SYMBOL(${name})\n`).join("");

/** Builds the bytecode compiler for this machine from the same sources, and returns its path. */
export function qjsc(): string {
  const { compile, identity } = hostCompiler();
  const source = pinnedSource("quickjs");
  const program = join(dirname(source), `qjsc-${fingerprint(identity)}`);
  const files = [...LIBRARY, "quickjs", "quickjs-libc", "qjsc"].map((name) => join(source, `${name}.c`));
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
