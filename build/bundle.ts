import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type BuildOptions, build, type Plugin } from "esbuild";
import { commonJs } from "./common-js.ts";
import { plainParameters } from "./plain-parameters.ts";
import { root } from "./root.ts";

/** File names by name of the bundle. */
export type Entries = Readonly<Record<string, string>>;

/** The parts of the program. `main` is read at every start, the others on demand; see src/load.ts. */
export const ENTRIES: Entries = {
  main: "src/main.ts",
  hook: "src/hook/inject.ts",
  server: "src/discover/server/discover-server.ts",
  compat: "src/discover/compat/board-compat.ts",
  soname: "src/elf/read-soname.ts",
  setup: "src/host-setup/prepare-server.ts",
  config: "src/config/parse-config.ts",
  runtime: "src/runtime/runtime.ts",
  wrapper: "src/runtime/edit-bundle.ts",
  runtimes: "src/runtime/runtimes-of-config.ts",
  documents: "src/oci/known-keys.ts",
  cli: "src/cli/cli.ts",
};

/** Replaces the platform module of yargs, which needs Node.js. */
const yargsStandIns: Plugin = {
  name: "yargs-stand-ins",
  setup({ onResolve }) {
    onResolve({ filter: /\/platform-shims\/esm\.mjs$/ }, () => ({
      path: join(root, "src/cli/stand-ins/yargs-platform.ts"),
    }));
  },
};

/** Options that make esbuild write the bundles and their shared chunks. */
const options = (entries: Entries, directory: string) =>
  ({
    absWorkingDir: root,
    entryPoints: { ...entries },
    outdir: directory,
    outExtension: { ".js": ".cjs" },
    bundle: true,
    splitting: true,
    // Splitting needs ESM. Each file becomes CommonJS below, because loading is synchronous.
    format: "esm",
    platform: "neutral",
    target: "es2022",
    // Inlines constants, which saves a lookup each at the start.
    minifySyntax: true,
    charset: "utf8",
    legalComments: "none",
    // Keeps the comments that name the files independent of where node_modules/ is.
    preserveSymlinks: true,
    logLevel: "warning",
    define: { process: "undefined", "import.meta.resolve": "undefined" },
    inject: [join(root, "src/cli/stand-ins/console.ts")],
    alias: { cliui: join(root, "node_modules/cliui/build/lib/index.js") },
    plugins: [yargsStandIns],
    metafile: true,
  }) satisfies BuildOptions;

/** The content of one file of the program. */
export interface BundleContents {
  /** Paths of the source files, from the repository's root. */
  readonly inputs: readonly string[];
  /** Files of the program that are read with it. */
  readonly imports: readonly string[];
}

/** Returns what `bundle` would put into each file, by file name. Writes nothing. */
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
 * Bundles the entries and their shared chunks into CommonJS files for Node.js and QuickJS.
 *
 * @param directory where the .cjs files go; emptied first.
 * @returns the sorted file names.
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
