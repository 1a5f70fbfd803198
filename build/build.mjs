/**
 * `npm run build`: both programs, from the same bundles.
 *
 *   --arch x86_64|aarch64   for another machine ($CC, or Debian's cross compiler)
 *   --out <directory>       instead of dist/
 *   --main <file>           another main bundle alone, for tests of the engines
 *   --installed <directory> where the Node.js build will lie (default: where it is built)
 *   --node <path>           the Node.js that its launcher starts (default: the one that runs this)
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bundle, ENTRIES } from "./bundle.mjs";
import { hostArch } from "./compiler.mjs";
import { buildNative } from "./native.mjs";
import { buildNode } from "./node.mjs";
import { NoSources } from "./pinned-source.mjs";
import { linkInPlace, putInPlace } from "./put-in-place.mjs";
import { BuildError } from "./run.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

function options() {
  const { values } = parseArgs({
    options: Object.fromEntries(
      ["arch", "out", "main", "installed", "node"].map((name) => [name, { type: "string" }]),
    ),
  });
  const out = resolve(values.out ?? join(root, "dist"));
  const { arch = hostArch, main, node = process.execPath, installed = join(out, "node") } = values;
  return { arch, out, node, installed, entries: main ? { main } : ENTRIES };
}

function checkVersion() {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const source = readFileSync(join(root, "src/version.ts"), "utf8");
  if (!source.includes(`"${version}"`))
    throw new BuildError(`Cannot build: src/version.ts says something else than package.json's "${version}"`);
}

/** One line: what was made, and how large it is. */
function tell(path) {
  console.log(`${relative(root, path)}  ${Math.ceil(statSync(path).size / 1024)} KiB`);
}

/** Builds beside what is there, and exchanges it when all is made: a container may be starting through it. */
async function build() {
  const { arch, out, node, installed, entries } = options();
  checkVersion();
  const absent = Object.values(entries).filter((file) => !existsSync(resolve(root, file)));
  if (absent.length) throw new BuildError(`Cannot build: no ${absent.join(", ")}`);
  const work = join(out, `.build-${process.pid}`);
  mkdirSync(join(work, "native"), { recursive: true });
  try {
    const bundles = join(work, "bundle");
    const files = await bundle(entries, bundles).catch((error) => {
      // esbuild has shown each of them with its line.
      throw error.errors ? new BuildError(`Cannot bundle: ${error.errors.length} errors`) : error;
    });
    await buildNode({ arch, bundles, files, directory: join(work, "node"), installed, node });
    const name = `nvoci-linux-${arch}`;
    const lack = tryNative({ arch, bundles, files, program: join(work, "native", name) });

    for (const directory of ["bundle", "node"]) putInPlace(join(work, directory), join(out, directory));
    for (const file of [...files.map((file) => `bundle/${file}`), "node/nvoci.node"]) tell(join(out, file));
    placeProgram(join(work, "native", name), join(out, "native", name), lack);
    linkInPlace(lack ? "node/nvoci" : `native/${name}`, join(out, "nvoci"));
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** Builds the native program; the error says why it cannot be built here, and the Node.js program can. */
function tryNative(what) {
  try {
    buildNative(what);
    return undefined;
  } catch (error) {
    if (error instanceof NoSources) return error;
    throw error;
  }
}

function placeProgram(made, program, lack) {
  if (lack) {
    // A program of an earlier build would pass for this one's.
    rmSync(program, { force: true });
    console.error(`No native program, dist/nvoci is the Node.js build. ${lack.message}`);
    return;
  }
  mkdirSync(dirname(program), { recursive: true });
  renameSync(made, program);
  tell(program);
}

try {
  await build();
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
