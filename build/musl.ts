import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, parse } from "node:path";
import { type Compile, type Compiler, compiler, fingerprint } from "./compiler.ts";
import { pinnedSource, SOURCES } from "./pinned-source.ts";
import { run } from "./run.ts";

const FLAGS = [
  // Flags of musl's configure.
  ..."-std=c99 -ffreestanding -fexcess-precision=standard -frounding-math -fno-strict-aliasing".split(" "),
  ..."-D_XOPEN_SOURCE=700 -Wa,--noexecstack".split(" "),
  // No canary exists before main(), and the loop in memset() must not become a call of memset().
  ..."-fno-stack-protector -fno-tree-loop-distribute-patterns".split(" "),
  // For one static program.
  ..."-O2 -ffunction-sections -fdata-sections -fno-pie -fno-asynchronous-unwind-tables -w".split(" "),
];

export interface MuslCompiler extends Compiler {
  /** Linker arguments before a program's objects. */
  readonly start: readonly string[];
  /** Linker arguments after them. */
  readonly end: readonly string[];
}

/**
 * Returns a compiler whose only C library is musl, which it compiles once. Compared with glibc the program starts
 * in half the time and is half as large: musl does not query the processor's features, which traps in a virtual
 * machine, and has no locales and character sets.
 *
 * @throws BuildError when there is no compiler, or no musl.
 */
export function muslCompiler(arch: string, { compile, identity } = compiler(arch)): MuslCompiler {
  const source = pinnedSource("musl");
  const directory = join(dirname(source), `${arch}-${fingerprint(identity, FLAGS)}`);
  if (!existsSync(directory)) build(source, arch, directory, compile);

  const headers = [
    join(directory, "include"),
    ...[`arch/${arch}`, "arch/generic", "include"].map((path) => join(source, path)),
    compile(["-print-file-name=include"]).trim(),
  ];
  const options = ["-nostdinc", ...headers.flatMap((path) => ["-isystem", path])];
  const at = (name: string) => join(directory, name);
  return {
    compile: (args, more) => compile([...options, ...args], more),
    identity: `${identity} musl ${SOURCES.musl.sha256} ${FLAGS}`,
    start: ["-nostdlib", at("crt1.o"), at("crti.o")],
    end: ["-Wl,--start-group", at("libc.a"), "-lgcc", "-Wl,--end-group", at("crtn.o")],
  };
}

/** Compiles musl beside the directory and moves it there when it is complete. */
function build(source: string, arch: string, directory: string, compile: Compile): void {
  const work = `${directory}.${process.pid}`;
  const objects = join(work, "objects");
  rmSync(work, { recursive: true, force: true });
  writeHeaders(source, arch, work);
  const includes = [
    ...[`arch/${arch}`, "arch/generic"].map((path) => join(source, path)),
    join(work, "internal"),
    ...["src/include", "src/internal"].map((path) => join(source, path)),
    join(work, "include"),
    join(source, "include"),
  ].flatMap((path) => ["-I", path]);
  const flags = ["-nostdinc", ...FLAGS, `-ffile-prefix-map=${source}=musl`, ...includes];
  for (const [place, files] of libcFiles(source, arch)) {
    const cwd = join(objects, place);
    mkdirSync(cwd, { recursive: true });
    compile([...flags, "-c", ...files], { cwd });
  }
  const startFiles = ["crt1.c", `${arch}/crti.s`, `${arch}/crtn.s`].map((file) => join(source, "crt", file));
  compile([...flags, "-DCRT", "-c", ...startFiles], { cwd: work });

  const made = readdirSync(objects, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".o"),
  );
  // q and not r: two directories may have an object of the same name. D omits times and owners.
  const ar = compile(["-print-prog-name=ar"]).trim();
  run(ar, ["qcsD", join(work, "libc.a"), ...made.sort()], { cwd: objects });
  rmSync(objects, { recursive: true });
  try {
    renameSync(work, directory);
  } catch (error) {
    // Another build has finished first, with the same library.
    if (!existsSync(directory)) throw error;
    rmSync(work, { recursive: true });
  }
}

/** Generates the headers that musl's Makefile generates, with the same sed scripts. */
function writeHeaders(source: string, arch: string, work: string): void {
  const at = (path: string) => join(source, path);
  const bits = join(work, "include/bits");
  mkdirSync(bits, { recursive: true });
  mkdirSync(join(work, "internal"));
  const types = [at(`arch/${arch}/bits/alltypes.h.in`), at("include/alltypes.h.in")];
  writeFileSync(join(bits, "alltypes.h"), run("sed", ["-f", at("tools/mkalltypes.sed"), ...types]));
  const numbers = readFileSync(at(`arch/${arch}/bits/syscall.h.in`), "utf8");
  writeFileSync(join(bits, "syscall.h"), numbers + numbers.replaceAll("__NR_", "SYS_"));
  writeFileSync(join(work, "internal/version.h"), `#define VERSION "${SOURCES.musl.version}"\n`);
}

/** Returns the library's files by directory. An architecture's files replace the generic ones. */
function libcFiles(source: string, arch: string): [place: string, files: string[]][] {
  const list = (directory: string) => {
    const path = join(source, directory);
    const names = existsSync(path) ? readdirSync(path).filter((name) => /\.[csS]$/.test(name)) : [];
    return names.sort().map((name) => join(path, name));
  };
  const places = [
    ...readdirSync(join(source, "src")).map((name) => `src/${name}`),
    "src/malloc/mallocng",
  ].sort();
  return places
    .map((place): [string, string[]] => {
      const own = list(`${place}/${arch}`);
      const replaced = new Set(own.map((file) => parse(file).name));
      return [place, [...list(place).filter((file) => !replaced.has(parse(file).name)), ...own]];
    })
    .filter(([, files]) => files.length > 0);
}
