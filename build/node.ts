import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build as bundle } from "esbuild";
import { compiler } from "./compiler.ts";
import { root } from "./root.ts";

const sources = join(root, "src/sys/native");

interface NodeBuild {
  readonly arch: string;
  /** The directory of the .cjs files. */
  readonly bundles: string;
  /** Their names. */
  readonly files: readonly string[];
  /** Where the build goes; emptied first. */
  readonly directory: string;
  /** Where the build is at run time. */
  readonly installed: string;
  /** The absolute path of Node.js at run time. */
  readonly node: string;
}

/**
 * Writes the Node.js build: the bundles, the addon, their entry `nvoci.cjs` and the launcher `nvoci`.
 *
 * @throws BuildError when there is no C compiler.
 */
export async function buildNode(build: NodeBuild): Promise<void> {
  const { arch, bundles, files, directory, installed, node } = build;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  for (const file of files) copyFileSync(join(bundles, file), join(directory, file));
  buildAddon(arch, join(directory, "nvoci.node"));
  await bundle({
    // Paths in comments are relative to it.
    absWorkingDir: root,
    legalComments: "none",
    entryPoints: [join(root, "src/sys/node.ts")],
    outfile: join(directory, "nvoci.cjs"),
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "es2022",
    charset: "utf8",
    external: ["./main.cjs"],
  });
  const template = readFileSync(join(root, "packaging/node/launcher.sh"), "utf8");
  const launcher = template
    .replace("@NODE@", () => quoted(node))
    .replace("@PROGRAM@", () => quoted(join(installed, "nvoci.cjs")));
  writeFileSync(join(directory, "nvoci"), launcher);
  chmodSync(join(directory, "nvoci"), 0o755);
}

function buildAddon(arch: string, addon: string): void {
  const { compile } = compiler(arch);
  const own = ["node-addon", "primitives"].map((name) => join(sources, `${name}.c`));
  const headers = join(root, "node_modules/node-api-headers/include");
  const flags = ["-O2", "-fPIC", "-shared", "-s", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"];
  const link = ["-Wl,-z,relro,-z,now", "-Wl,--build-id=none", `-ffile-prefix-map=${root}=nvoci`];
  compile([...flags, ...link, `-I${sources}`, `-isystem${headers}`, "-o", addon, ...own]);
}

/** Quotes a text for sh(1). */
const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
