import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { PROGRAM, writePayload } from "../native.ts";
import { pinnedSource } from "../pinned-source.ts";
import { definitions, FLAGS, LIBRARY } from "../quickjs-library.ts";
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
 * @param work a directory that is emptied first.
 */
export async function sourceRelease(
  release: Release,
  bundles: string,
  files: readonly string[],
  work: string,
): Promise<Artifact> {
  const { root, version, epoch } = release;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  writePayload(bundles, files, work);
  const quickjs = pinnedSource("quickjs");
  const top = readdirSync(root).filter((file) => TOP.test(file));
  const name = `nvoci-${version}`;
  const entries = [
    ...[...SOURCES.flatMap((directory) => listFiles(root, directory)), ...top].map((path) =>
      read(root, path),
    ),
    ...readdirSync(work)
      .filter((file) => file.endsWith(".c"))
      .map((file) => read(work, file, "generated/")),
    ...readdirSync(quickjs)
      .filter((file) => isNeeded(file))
      .map((file) => read(quickjs, file, "quickjs/")),
    { path: "Makefile", content: makefile(root, version), mode: 0o644 },
    { path: "nvoci.spec", content: rpmSpec(release), mode: 0o644 },
  ];
  return { file: `${name}.tar.gz`, content: await tarGz(entries, epoch, `${name}/`) };
}

function isNeeded(file: string): boolean {
  const [, stem, kind] = /^(.*)\.([ch])$/.exec(file) ?? [];
  if (kind === "h") return stem !== "quickjs-libc" && stem !== "unicode_gen_def";
  return kind === "c" && stem !== undefined
    ? LIBRARY.includes(stem)
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

/** Returns the Makefile with the flags and files of the npm build. */
function makefile(root: string, version: string): string {
  const objects = [
    ...PROGRAM.map((name) => `src/sys/native/${name}.o`),
    "generated/payload.o",
    ...LIBRARY.map((name) => `quickjs/${name}.o`),
  ];
  const values = {
    VERSION: version,
    CFLAGS: FLAGS.filter((flag) => flag !== "-O2").join(" "),
    DEFINITIONS: definitions.map((definition) => `'${definition}'`).join(" "),
    OBJECTS: objects.join(" \\\n\t"),
  };
  const template = readFileSync(join(root, "packaging/native/Makefile.in"), "utf8");
  return fillTemplate(template, values);
}
