/**
 * `npm run build`: builds both programs from the same bundles.
 *
 *   --arch x86_64|aarch64   for another machine ($CC, or Debian's cross compiler)
 *   --out <directory>       instead of dist/
 *   --main <file>           only this main bundle, for tests of the engines
 *   --installed <directory> where the Node.js build will be (default: where it is built)
 *   --node <path>           the Node.js that its launcher starts (default: the one that runs this)
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bundle, ENTRIES, type Entries } from "./bundle.ts";
import { hostArch } from "./compiler.ts";
import { buildNative, type NativeBuild } from "./native.ts";
import { buildNode } from "./node.ts";
import { NoSources } from "./pinned-source.ts";
import { linkInPlace, putInPlace } from "./put-in-place.ts";
import { projectVersion, root } from "./root.ts";
import { BuildError } from "./run.ts";

function options() {
  const { values } = parseArgs({
    options: {
      arch: { type: "string" },
      out: { type: "string" },
      main: { type: "string" },
      installed: { type: "string" },
      node: { type: "string" },
    },
  });
  const out = resolve(values.out ?? join(root, "dist"));
  const { arch = hostArch, main, node = process.execPath, installed = join(out, "node") } = values;
  const entries: Entries = main ? { main } : ENTRIES;
  return { arch, out, node, installed, entries };
}

function checkVersion(): void {
  const version = projectVersion();
  const source = readFileSync(join(root, "src/version.ts"), "utf8");
  if (!source.includes(`"${version}"`))
    throw new BuildError(`Cannot build: src/version.ts does not have package.json's version "${version}"`);
}

/** Prints what was built and its size. */
function printSize(path: string): void {
  console.log(`${relative(root, path)}  ${Math.ceil(statSync(path).size / 1024)} KiB`);
}

/**
 * Builds into a separate directory and moves the files at the end: a container may be starting through the old
 * ones.
 */
async function build(): Promise<void> {
  const { arch, out, node, installed, entries } = options();
  checkVersion();
  const absent = Object.values(entries).filter((file) => !existsSync(resolve(root, file)));
  if (absent.length) throw new BuildError(`Cannot build: ${absent.join(", ")} does not exist`);
  const work = join(out, `.build-${process.pid}`);
  mkdirSync(join(work, "native"), { recursive: true });
  try {
    const bundles = join(work, "bundle");
    const files = await bundle(entries, bundles).catch((error) => {
      // esbuild has printed each error with its line.
      throw error.errors ? new BuildError(`Cannot bundle: ${error.errors.length} errors`) : error;
    });
    await buildNode({ arch, bundles, files, directory: join(work, "node"), installed, node });
    const name = `nvoci-linux-${arch}`;
    const lack = tryNative({ arch, bundles, files, program: join(work, "native", name) });

    for (const directory of ["bundle", "node"]) putInPlace(join(work, directory), join(out, directory));
    for (const made of [...files.map((file) => `bundle/${file}`), "node/nvoci.node"])
      printSize(join(out, made));
    placeProgram(join(work, "native", name), join(out, "native", name), lack);
    linkInPlace(lack ? "node/nvoci" : `native/${name}`, join(out, "nvoci"));
  } finally {
    rmSync(work, { recursive: true });
  }
}

/**
 * Builds the native program.
 *
 * @returns why it cannot be built here, when the Node.js program can.
 */
function tryNative(what: NativeBuild): NoSources | undefined {
  try {
    buildNative(what);
    return undefined;
  } catch (error) {
    if (error instanceof NoSources) return error;
    throw error;
  }
}

function placeProgram(made: string, program: string, lack: NoSources | undefined): void {
  if (lack) {
    // Remove the program of an earlier build.
    rmSync(program, { force: true });
    console.error(`No native program; dist/nvoci is the Node.js build. ${lack.message}`);
    return;
  }
  mkdirSync(dirname(program), { recursive: true });
  renameSync(made, program);
  printSize(program);
}

try {
  await build();
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
