import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type BuildOptions, build, type Plugin } from "esbuild";
import { commonJs } from "./common-js.ts";
import { plainParameters } from "./plain-parameters.ts";
import { root } from "./root.ts";

/** File names by name of the bundle. */
export type Entries = Readonly<Record<string, string>>;

/** The parts of the program. `main` is read at every start; the others when they are needed, see src/load.ts. */
export const ENTRIES: Entries = {
  main: "src/main.ts",
  hook: "src/hook/inject.ts",
  server: "src/discover/server/discover-server.ts",
  soname: "src/elf/read-soname.ts",
  setup: "src/host-setup/prepare-server.ts",
  config: "src/config/parse-config.ts",
  runtime: "src/runtime/runtime.ts",
  wrapper: "src/runtime/edit-bundle.ts",
  runtimes: "src/runtime/runtimes-of-config.ts",
  documents: "src/oci/known-keys.ts",
  cli: "src/cli/cli.ts",
};

/** yargs without Node.js: its platform module and its printing are ours. */
const yargsStandIns: Plugin = {
  name: "yargs-stand-ins",
  setup({ onResolve }) {
    onResolve({ filter: /\/platform-shims\/esm\.mjs$/ }, () => ({
      path: join(root, "src/cli/stand-ins/yargs-platform.ts"),
    }));
  },
};

/** How esbuild makes the bundles, and what they share as chunks. */
const options = (entries: Entries, directory: string) =>
  ({
    absWorkingDir: root,
    entryPoints: { ...entries },
    outdir: directory,
    outExtension: { ".js": ".cjs" },
    bundle: true,
    splitting: true,
    // Splitting needs ESM; each file becomes CommonJS below, because the loading is synchronous.
    format: "esm",
    platform: "neutral",
    target: "es2022",
    // Puts the values of constants where their names are: each is one look-up less at the start.
    minifySyntax: true,
    charset: "utf8",
    legalComments: "none",
    // The comments that name the files are the same wherever node_modules/ really is.
    preserveSymlinks: true,
    logLevel: "warning",
    define: { process: "undefined", "import.meta.resolve": "undefined" },
    inject: [join(root, "src/cli/stand-ins/console.ts")],
    alias: { cliui: join(root, "node_modules/cliui/build/lib/index.js") },
    plugins: [yargsStandIns],
    metafile: true,
  }) satisfies BuildOptions;

/** What a file of the program is made of. */
export interface BundleContents {
  /** Paths of the source files, from the repository's root. */
  readonly inputs: readonly string[];
  /** Files of the program that are read with it. */
  readonly imports: readonly string[];
}

/** What `bundle` would put into each file, by the file's name; it writes nothing. */
export async function bundleContents(entries: Entries): Promise<ReadonlyMap<string, BundleContents>> {
  const { metafile } = await build({ ...options(entries, "dist/bundle"), write: false });
  return new Map(
    Object.entries(metafile.outputs).map(([file, { inputs, imports }]) => [
      basename(file),
      { inputs: Object.keys(inputs), imports: imports.map(({ path }) => basename(path)) },
    ]),
  );
}

/**
 * Bundles the entries, and what they share as chunks, into CommonJS files that Node.js and QuickJS both read.
 *
 * @param directory where the .cjs files go; it is emptied first
 * @returns the files' names, sorted
 */
export async function bundle(entries: Entries, directory: string): Promise<string[]> {
  rmSync(directory, { recursive: true, force: true });
  const { metafile } = await build(options(entries, directory));
  const files = Object.keys(metafile.outputs).sort();
  for (const file of files) {
    const path = join(root, file);
    writeFileSync(path, plainParameters(commonJs(readFileSync(path, "utf8"))));
  }
  return files.map((file) => basename(file));
}
