import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { hostArch, hostCompiler } from "./compiler.ts";
import { HEAP_ADDRESS, makeHeap } from "./heap.ts";
import { type MuslCompiler, muslCompiler } from "./musl.ts";
import { FLAGS, qjsc, quickjsLibrary } from "./quickjs-library.ts";
import { root } from "./root.ts";
import { run } from "./run.ts";

const native = join(root, "src/sys/native");
/** The program's own C files, without `.c`. */
export const PROGRAM = ["program", "quickjs-engine", "arena", "primitives", "utf8"];

export interface NativeBuild {
  readonly arch: string;
  /** The directory of the .cjs files. */
  readonly bundles: string;
  /** Their names. */
  readonly files: readonly string[];
  /** Where the program goes. */
  readonly program: string;
}

/** A bundle's bytecode as C: the bundle's file name and the name of the array. */
interface Script {
  readonly file: string;
  readonly symbol: string;
}

/**
 * Flags for one static program without unused code. It is not position-independent: relocation takes a quarter of
 * its start. Stack, heap and mappings are still at random addresses.
 */
const LINK = [
  "-static",
  "-no-pie",
  "-Wl,--gc-sections",
  "-Wl,-z,noexecstack",
  "-Wl,-z,relro,-z,now",
  "-Wl,--build-id=none",
  `-Wl,--section-start=.nvoci_heap=0x${HEAP_ADDRESS.toString(16)}`,
];

/**
 * Compiles the bundles to bytecode, makes the heap from them, and links both, QuickJS and our C files into one static
 * program.
 *
 * @throws BuildError when a compiler or QuickJS is missing.
 */
export function buildNative({ arch, bundles, files, program }: NativeBuild): void {
  const work = `${program}.build`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const { sources, symbols } = writePayload(bundles, files, work);
  link({ arch, musl: muslCompiler(arch), symbols, sources, work, program, flags: ["-s"] });
  rmSync(work, { recursive: true });
}

interface Linking {
  readonly arch: string;
  readonly musl: MuslCompiler;
  readonly symbols: readonly string[];
  /** The generated C files. */
  readonly sources: readonly string[];
  readonly work: string;
  readonly program: string;
  readonly flags: readonly string[];
}

function link({ arch, musl, symbols, sources, work, program, flags }: Linking): void {
  const { objects, include } = quickjsLibrary(arch, musl, symbols);
  const own = PROGRAM.map((name) => join(native, `${name}.c`));
  const includes = [`-I${native}`, `-isystem${include}`, `-I${work}`];
  const maps = [`-ffile-prefix-map=${root}=nvoci`, `-ffile-prefix-map=${work}=payload`];
  const warnings = ["-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"];
  musl.compile([
    ...FLAGS,
    ...warnings,
    ...maps,
    ...includes,
    ...LINK,
    ...flags,
    "-o",
    program,
    ...musl.start,
    ...own,
    ...sources,
    ...objects,
    ...musl.end,
  ]);
}

/** The generated C files, and the static names of QuickJS that they need. */
interface Payload {
  readonly sources: readonly string[];
  readonly symbols: readonly string[];
}

/**
 * Compiles the bundles to bytecode, and writes it and the heap made from it as C that is the same for every machine.
 *
 * @param directory where payload.c, heap.c and the files that they include go.
 */
export function writePayload(bundles: string, files: readonly string[], directory: string): Payload {
  const scripts = bytecode(bundles, files, directory);
  const payload = join(directory, "payload.c");
  const source = join(directory, "heap.c");
  const kept = partsOf(bundles, files);
  writeFileSync(payload, payloadSource(scripts, kept));
  const musl = muslCompiler(hostArch, hostCompiler());
  const dump = (base: number): string => {
    const program = join(directory, `dump-${base.toString(16)}`);
    const flags = ["-DNVOCI_DUMP", `-Wl,-Ttext-segment=0x${base.toString(16)}`];
    link({ arch: hostArch, musl, symbols: [], sources: [payload], work: directory, program, flags });
    return program;
  };
  const heap = makeHeap(
    dump,
    kept.filter((file) => file !== "main.cjs"),
  );
  writeFileSync(source, heap.source);
  return { sources: [payload, source], symbols: heap.symbols };
}

/** Parts that most starts do not read, and that are large. They stay bytecode. */
const SELDOM = ["cli.cjs"];

/** Returns the parts that the heap contains: `main` and all that other parts but those need. */
function partsOf(bundles: string, files: readonly string[]): readonly string[] {
  const needs = (file: string): string[] =>
    [...readFileSync(join(bundles, file), "utf8").matchAll(/require\("\.\/([^"]+)"\)/g)].map(
      ([, name]) => name ?? "",
    );
  const found = new Set(files.filter((file) => !file.startsWith("chunk-") && !SELDOM.includes(file)));
  for (const file of found) for (const name of needs(file)) if (files.includes(name)) found.add(name);
  return [...found].sort();
}

/** Writes each bundle's bytecode as a C file and returns the names. */
function bytecode(bundles: string, files: readonly string[], work: string): Script[] {
  return files.map((file, index) => {
    const wrapped = `(function (require, module, exports) {${readFileSync(join(bundles, file), "utf8")}\n})`;
    writeFileSync(join(work, file), wrapped);
    const symbol = `bundle_${index}`;
    // -s omits line numbers: 5 % of the size and of the start. Functions keep their names in stack traces, and the
    // Node.js build has the lines of the same bundles. The name is relative, so that two builds are equal.
    run(qjsc(), ["-s", "-c", "-N", symbol, "-o", `${symbol}.c`, basename(file)], { cwd: work });
    return { file, symbol };
  });
}

/** @param kept file names of the parts that the heap contains. */
function payloadSource(scripts: readonly Script[], kept: readonly string[]): string {
  const part = ({ file, symbol }: Script): string =>
    `    {"${file}", ${kept.includes(file) ? "NVOCI_KEPT" : "NVOCI_PART"}(${symbol})},`;
  return [
    '#include "payload.h"',
    '#include "heap.h"',
    "#define NVOCI_PART(symbol) symbol, &symbol##_size",
    "#ifdef NVOCI_HEAP",
    "#define NVOCI_KEPT(symbol) 0, 0",
    "#else",
    "#define NVOCI_KEPT NVOCI_PART",
    "#endif",
    ...scripts.map(({ symbol }) => `#include "${symbol}.c"`),
    "const struct nvoci_script nvoci_payload[] = {",
    ...scripts.map(part),
    "};",
    `const uint32_t nvoci_payload_count = ${scripts.length};`,
    "",
  ].join("\n");
}
