/**
 * `npm run build`: both programs, from the same bundles.
 *
 *   --arch x86_64|aarch64   for another machine ($CC, or Debian's cross compiler)
 *   --out <directory>       instead of dist/
 *   --main <file>           another main bundle alone, for tests of the engines
 *   --installed <directory> where the Node.js build will lie (default: where it is built)
 *   --node <path>           the Node.js that its launcher starts (default: the one that runs this)
 */
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bundle, ENTRIES } from "./bundle.mjs";
import { hostArch } from "./compiler.mjs";
import { buildNative } from "./native.mjs";
import { buildNode } from "./node.mjs";
import { NoSources } from "./pinned-source.mjs";
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

function link(target, path) {
  if (lstatSync(path, { throwIfNoEntry: false })) rmSync(path);
  symlinkSync(target, path);
}

async function build() {
  const { arch, out, node, installed, entries } = options();
  checkVersion();
  const absent = Object.values(entries).filter((file) => !existsSync(resolve(root, file)));
  if (absent.length) throw new BuildError(`Cannot build: no ${absent.join(", ")}`);
  const bundles = join(out, "bundle");
  const files = await bundle(entries, bundles).catch((error) => {
    // esbuild has shown each of them with its line.
    throw error.errors ? new BuildError(`Cannot bundle: ${error.errors.length} errors`) : error;
  });
  for (const file of files) tell(join(bundles, file));

  await buildNode({ arch, bundles, files, directory: join(out, "node"), installed, node });
  tell(join(out, "node/nvoci.node"));

  const name = `nvoci-linux-${arch}`;
  const program = join(out, "native", name);
  mkdirSync(dirname(program), { recursive: true });
  // A program of an earlier build would pass for this one's.
  rmSync(program, { force: true });
  try {
    buildNative({ arch, bundles, files, program });
    tell(program);
    link(`native/${name}`, join(out, "nvoci"));
  } catch (error) {
    if (!(error instanceof NoSources)) throw error;
    console.error(`No native program, dist/nvoci is the Node.js build. ${error.message}`);
    link("node/nvoci", join(out, "nvoci"));
  }
}

try {
  await build();
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
