import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { muslCompiler } from "./musl.ts";
import { FLAGS, qjsc, quickjsLibrary } from "./quickjs-library.ts";
import { root } from "./root.ts";
import { run } from "./run.ts";

const sources = join(root, "src/sys/native");
/** The program's own C files, without `.c`. */
export const PROGRAM = ["quickjs", "quickjs-engine", "arena", "primitives", "utf8"];

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
  "-s",
  "-Wl,--gc-sections",
  "-Wl,-z,noexecstack",
  "-Wl,-z,relro,-z,now",
  "-Wl,--build-id=none",
];

/**
 * Compiles the bundles to bytecode, and links the bytecode, QuickJS and our C files into one static program.
 *
 * @throws BuildError when a compiler or QuickJS is missing.
 */
export function buildNative({ arch, bundles, files, program }: NativeBuild): void {
  const { compile, start, end } = muslCompiler(arch);
  const { objects, include } = quickjsLibrary(arch);
  const work = `${program}.build`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const payload = writePayload(bundles, files, work);
  const own = PROGRAM.map((name) => join(sources, `${name}.c`));
  const includes = [`-I${sources}`, `-isystem${include}`, `-I${work}`];
  const maps = [`-ffile-prefix-map=${root}=nvoci`, `-ffile-prefix-map=${work}=payload`];
  const warnings = ["-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"];
  compile([
    ...FLAGS,
    ...warnings,
    ...maps,
    ...includes,
    ...LINK,
    "-o",
    program,
    ...start,
    ...own,
    payload,
    ...objects,
    ...end,
  ]);
  rmSync(work, { recursive: true });
}

/**
 * Compiles the bundles to bytecode and writes it as C that is the same for every machine.
 *
 * @param directory where payload.c and the files that it includes go.
 * @returns the path of payload.c.
 */
export function writePayload(bundles: string, files: readonly string[], directory: string): string {
  const payload = join(directory, "payload.c");
  writeFileSync(payload, payloadSource(bytecode(bundles, files, directory)));
  return payload;
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

function payloadSource(scripts: readonly Script[]): string {
  return [
    '#include "payload.h"',
    ...scripts.map(({ symbol }) => `#include "${symbol}.c"`),
    "const char nvoci_payload_magic[sizeof(NVOCI_PAYLOAD_MAGIC)] = NVOCI_PAYLOAD_MAGIC;",
    "const struct nvoci_script nvoci_payload[] = {",
    ...scripts.map(({ file, symbol }) => `    {"${file}", ${symbol}, &${symbol}_size},`),
    "};",
    `const uint32_t nvoci_payload_count = ${scripts.length};`,
    "",
  ].join("\n");
}
