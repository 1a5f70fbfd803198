import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { commonJs } from "./common-js.mjs";
import { plainParameters } from "./plain-parameters.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** The parts of the program. `main` is read at every start; the others when they are needed, see src/load.ts. */
export const ENTRIES = {
  main: "src/main.ts",
  hook: "src/hook/inject.ts",
  server: "src/discover/server/discover-server.ts",
  links: "src/discover/soname-links.ts",
  setup: "src/host-setup/prepare-server.ts",
  runtime: "src/runtime/runtime.ts",
  wrapper: "src/runtime/edit-bundle.ts",
  runtimes: "src/runtime/runtimes-of-config.ts",
  cli: "src/cli/cli.ts",
};

/** yargs without Node.js: its platform module and its printing are ours. */
const yargsStandIns = {
  name: "yargs-stand-ins",
  setup({ onResolve }) {
    onResolve({ filter: /\/platform-shims\/esm\.mjs$/ }, () => ({
      path: join(root, "src/cli/stand-ins/yargs-platform.ts"),
    }));
  },
};

/**
 * Bundles the entries, and what they share as chunks, into CommonJS files that Node.js and QuickJS both read.
 *
 * @param entries file names by name of the bundle
 * @param directory where the .cjs files go; it is emptied first
 * @returns the files' names, sorted
 */
export async function bundle(entries, directory) {
  rmSync(directory, { recursive: true, force: true });
  const result = await build({
    absWorkingDir: root,
    entryPoints: entries,
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
    // The comments that name the files are the same wherever node_modules/ really lies.
    preserveSymlinks: true,
    logLevel: "warning",
    define: { process: "undefined", "import.meta.resolve": "undefined" },
    inject: [join(root, "src/cli/stand-ins/console.ts")],
    alias: { cliui: join(root, "node_modules/cliui/build/lib/index.js") },
    plugins: [yargsStandIns],
    metafile: true,
  });
  const files = Object.keys(result.metafile.outputs).sort();
  for (const file of files) {
    const path = join(root, file);
    writeFileSync(path, plainParameters(commonJs(readFileSync(path, "utf8"))));
  }
  return files.map((file) => basename(file));
}
