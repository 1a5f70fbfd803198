import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, parse } from "node:path";
import { type Compile, type Compiler, compiler, fingerprint } from "./compiler.ts";
import { pinnedSource, SOURCES } from "./pinned-source.ts";
import { run } from "./run.ts";

const FLAGS = [
  // What musl's own configure asks for.
  ..."-std=c99 -ffreestanding -fexcess-precision=standard -frounding-math -fno-strict-aliasing".split(" "),
  ..."-D_XOPEN_SOURCE=700 -Wa,--noexecstack".split(" "),
  // Nothing has set up a canary before main(), and the loop in memset() must not become a call of memset().
  ..."-fno-stack-protector -fno-tree-loop-distribute-patterns".split(" "),
  // For one static program.
  ..."-O2 -ffunction-sections -fdata-sections -fno-pie -fno-asynchronous-unwind-tables -w".split(" "),
];

interface MuslCompiler extends Compiler {
  /** What belongs before a program's objects on the linker's command line. */
  readonly start: readonly string[];
  /** What belongs after them. */
  readonly end: readonly string[];
}

/**
 * A compiler that knows no C library but musl, which it compiles once. The program starts in half of glibc's time and
 * is half as large: musl neither asks the processor what it can do, which traps in a virtual machine, nor carries
 * locales and character sets.
 *
 * @throws BuildError when there is no compiler, or no musl
 */
export function muslCompiler(arch: string): MuslCompiler {
  const { compile, identity } = compiler(arch);
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

/** Compiles musl beside the directory and moves it there when it is whole. */
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
  // q and not r: two directories may have an object of the same name. D leaves out times and owners.
  const ar = compile(["-print-prog-name=ar"]).trim();
  run(ar, ["qcsD", join(work, "libc.a"), ...made.sort()], { cwd: objects });
  rmSync(objects, { recursive: true });
  try {
    renameSync(work, directory);
  } catch (error) {
    // Another build was faster; its library is the same.
    if (!existsSync(directory)) throw error;
    rmSync(work, { recursive: true });
  }
}

/** The headers that musl's Makefile makes, by the same sed scripts. */
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

/** The library's files by directory: an architecture's own take the place of those for all. */
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
