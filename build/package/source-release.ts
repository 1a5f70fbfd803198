import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, parse } from "node:path";
import { HEAP_ADDRESS } from "../heap.ts";
import { PROGRAM, writePayload } from "../native.ts";
import { pinnedSource } from "../pinned-source.ts";
import { definitions, FLAGS, heapSymbols, LIBRARY } from "../quickjs-library.ts";
import type { Artifact, Release } from "./artifact.ts";
import { rpmSpec } from "./rpm.ts";
import { type TarEntry, tarGz } from "./tar.ts";
import { fillTemplate } from "./template.ts";

/** The directories of the repository that a release contains. */
const SOURCES = ["build", "hooks", "packaging", "src"];
const TOP = /^(\.npmrc|LICENSE|[A-Z]+\.md|package(-lock)?\.json|tsconfig\.json)$/;

/**
 * Makes the source archive. It unpacks to `nvoci-<version>/` and builds with `make` and a C compiler: it contains
 * the scripts as C and the parts of QuickJS that the program needs. `rpmbuild -ta` makes packages from it.
 *
 * @param bundles the directory of the .cjs files.
 * @param files their names.
 * @param bill the bill of materials, for packagers.
 * @param work a directory that is emptied first.
 */
export async function sourceRelease(
  release: Release,
  bundles: string,
  files: readonly string[],
  bill: Artifact,
  work: string,
): Promise<Artifact> {
  const { root, version, epoch } = release;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const { sources, symbols } = writePayload(bundles, files, work);
  writeFileSync(join(work, "heap-symbols.h"), heapSymbols(symbols));
  const quickjs = pinnedSource("quickjs");
  const top = readdirSync(root).filter((file) => TOP.test(file));
  const name = `nvoci-${version}`;
  const entries = [
    ...[...SOURCES.flatMap((directory) => listFiles(root, directory)), ...top].map((path) =>
      path === "package.json" ? { path, content: runnableHere(root), mode: 0o644 } : read(root, path),
    ),
    { path: "nvoci.cdx.json", content: bill.content, mode: 0o644 },
    ...readdirSync(work)
      .filter((file) => /\.[ch]$/.test(file))
      .map((file) => read(work, file, "generated/")),
    ...readdirSync(quickjs)
      .filter((file) => isNeeded(file))
      .map((file) => read(quickjs, file, "quickjs/")),
    { path: "Makefile", content: makefile(root, version, sources), mode: 0o644 },
    { path: "nvoci.spec", content: rpmSpec(release), mode: 0o644 },
  ];
  return { file: `${name}.tar.gz`, content: await tarGz(entries, epoch, `${name}/`) };
}

function isNeeded(file: string): boolean {
  const [, stem, kind] = /^(.*)\.([ch])$/.exec(file) ?? [];
  if (kind === "h") return stem !== "quickjs-libc" && stem !== "unicode_gen_def";
  return kind === "c" && stem !== undefined
    ? ["quickjs", ...LIBRARY].includes(stem)
    : file === "LICENSE" || file === "VERSION";
}

function read(directory: string, path: string, base = ""): TarEntry {
  const full = join(directory, path);
  const mode = statSync(full).mode & 0o100 ? 0o755 : 0o644;
  return { path: `${base}${path}`, content: readFileSync(full), mode };
}

const listFiles = (root: string, directory: string): string[] =>
  readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    return entry.isDirectory() ? listFiles(root, path) : [path];
  });

/** Returns package.json without the scripts that need tests, which the archive does not contain. */
function runnableHere(root: string): string {
  const all = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { build, package: packaging } = all.scripts;
  return `${JSON.stringify({ ...all, scripts: { build, package: packaging } }, null, 2)}\n`;
}

/** Returns the Makefile with the flags and files of the npm build. */
function makefile(root: string, version: string, sources: readonly string[]): string {
  const objects = [
    ...PROGRAM.map((name) => `src/sys/native/${name}.o`),
    "src/sys/native/engine.o",
    ...sources.map((file) => `generated/${parse(file).name}.o`),
    ...LIBRARY.map((name) => `quickjs/${name}.o`),
  ];
  const values = {
    VERSION: version,
    CFLAGS: FLAGS.filter((flag) => flag !== "-O2").join(" "),
    DEFINITIONS: definitions.map((definition) => `'${definition}'`).join(" "),
    HEAP: `0x${HEAP_ADDRESS.toString(16)}`,
    OBJECTS: objects.join(" \\\n\t"),
  };
  const template = readFileSync(join(root, "packaging/native/Makefile.in"), "utf8");
  return fillTemplate(template, values);
}
