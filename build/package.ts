/**
 * `npm run package`: makes a release in dist/packages/, and the Node.js executables, which run in dist/pkg/. Equal
 * sources give equal bytes.
 *
 *   --arch x86_64|aarch64   only this architecture; may be repeated
 *   --out <directory>       instead of dist/, with packages/ and pkg/ in it
 *   --native-only           no Node.js executables, which take a minute and make npm fetch Node.js
 *   --layers-only           only the OpenEmbedded layers, as directories for "bitbake-layers add-layer"
 *
 * The archives carry the time in SOURCE_DATE_EPOCH, else that of the last commit, else that of package.json. The key in
 * NVOCI_SIGNING_KEY signs the release.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bundle, ENTRIES } from "./bundle.ts";
import { buildNative } from "./native.ts";
import { aptRepository } from "./package/apt-repository.ts";
import type { Architecture, Artifact, Program, Release } from "./package/artifact.ts";
import { billOfMaterials } from "./package/bill-of-materials.ts";
import { type BinaryPackage, binaryPackage } from "./package/binary-package.ts";
import { ARCHITECTURES, type Kind } from "./package/contents.ts";
import { distributionRecipes } from "./package/distribution-recipes.ts";
import { launcher, nodeExecutable } from "./package/node-executable.ts";
import { rpmPackages } from "./package/rpm.ts";
import { signRelease } from "./package/sign.ts";
import { sourceRelease } from "./package/source-release.ts";
import { systemExtension } from "./package/sysext.ts";
import { type TarEntry, tarGz } from "./package/tar.ts";
import { yoctoLayers } from "./package/yocto-layer.ts";
import { projectVersion, root } from "./root.ts";
import { BuildError, run } from "./run.ts";

const NODE_HOME = "usr/lib/nvoci";
/** Our own license, and those of what the programs contain. */
const LICENSES = [
  ["LICENSE", "LICENSE"],
  ["copyright", "packaging/deb/copyright"],
] as const;

function options() {
  const { values } = parseArgs({
    options: {
      arch: { type: "string", multiple: true },
      out: { type: "string" },
      "native-only": { type: "boolean", default: false },
      "layers-only": { type: "boolean", default: false },
    },
  });
  const arches = values.arch ?? Object.keys(ARCHITECTURES);
  const unknown = arches.find((arch) => !isArchitecture(arch));
  if (unknown)
    throw new BuildError(
      `Cannot package for "${unknown}": use one of ${Object.keys(ARCHITECTURES).join(", ")}`,
    );
  return {
    arches: arches.filter(isArchitecture),
    dist: resolve(values.out ?? join(root, "dist")),
    nativeOnly: values["native-only"],
    layersOnly: values["layers-only"],
  };
}

const isArchitecture = (arch: string): arch is Architecture => Object.hasOwn(ARCHITECTURES, arch);

function epochOf(sources: string): number {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined) {
    if (/^\d{1,11}$/.test(given)) return Number(given);
    throw new BuildError(`Cannot use SOURCE_DATE_EPOCH="${given}": it must be seconds since 1970`);
  }
  // An unpacked source archive may be below another repository.
  if (existsSync(join(sources, ".git")))
    return Number(run("git", ["-C", sources, "log", "-1", "--format=%ct"]));
  return Math.floor(statSync(join(sources, "package.json")).mtimeMs / 1000);
}

/** Builds the native programs. Skips an architecture whose cross compiler is missing. */
function buildPrograms(
  arches: readonly Architecture[],
  bundles: string,
  files: readonly string[],
  out: string,
): Program[] {
  return arches.flatMap((arch) => {
    const path = join(out, `nvoci-linux-${arch}`);
    try {
      buildNative({ arch, bundles, files, program: path });
      return [{ arch, path }];
    } catch (error) {
      if (!(error instanceof BuildError) || !error.message.startsWith("Cannot compile for")) throw error;
      console.error(`No packages for ${arch}. ${error.message}`);
      return [];
    }
  });
}

async function packageAll(): Promise<void> {
  const { arches, dist, nativeOnly, layersOnly } = options();
  const out = join(dist, "packages");
  const release: Release = { root, version: projectVersion(), epoch: epochOf(root) };
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const work = join(out, ".work");
  const bundles = join(work, "bundle");
  const files = await bundle(ENTRIES, bundles);
  const bill = billOfMaterials(release, bundles, files);
  const source = await sourceRelease(release, bundles, files, bill, join(work, "generated"));
  const layers = yoctoLayers(release, source);
  if (layersOnly) return writeLayers(out, work, layers);
  const programs = buildPrograms(arches, bundles, files, out);
  if (programs.length === 0) throw new BuildError("Cannot package: no program could be built");

  const layersFile = `meta-nvoci-${release.version}.tar.gz`;
  const made: Artifact[] = [
    source,
    { file: layersFile, content: await tarGz(layers, release.epoch, "") },
    await distributionRecipes(release, source),
    bill,
  ];
  const packages = (kind: Kind): Promise<BinaryPackage[]> =>
    Promise.all([
      ...programs.map((program) => binaryPackage(kind, "nvoci", release, program)),
      binaryPackage(kind, "nvoci-compat", release),
    ]);
  const debian = await packages("deb");
  made.push(...debian, ...aptRepository(release, debian), ...(await packages("ipk")));
  made.push(...rpmPackages(release, source, programs));
  for (const program of programs) made.push(...(await systemExtension(release, program)));
  // For the programs alone, which are files without a place for them.
  for (const [file, path] of LICENSES) made.push({ file, content: readFileSync(join(root, path)) });
  if (!nativeOnly) {
    for (const { arch } of programs) made.push(...(await nodeArchive(release, arch, bundles, files, dist)));
  }
  rmSync(work, { recursive: true });
  for (const { file, content } of made) writeFileSync(join(out, file), content);
  const all = [...programs.map(({ path }) => basename(path)), ...made.map(({ file }) => file)].sort();
  writeFileSync(join(out, "SHA256SUMS"), all.map((file) => `${sha256(join(out, file))}  ${file}\n`).join(""));
  for (const file of [...all, "SHA256SUMS", ...signRelease(out)]) printSize(join(out, file));
}

/** Writes the layers as directories, for bitbake-layers. */
function writeLayers(out: string, work: string, layers: readonly TarEntry[]): void {
  for (const { path, content = "" } of layers) {
    mkdirSync(dirname(join(out, path)), { recursive: true });
    writeFileSync(join(out, path), content);
  }
  rmSync(work, { recursive: true });
  for (const name of new Set(layers.map(({ path }) => path.split("/")[0] ?? ""))) {
    console.log(relative(root, join(out, name)));
  }
}

/** Makes the Node.js executable of an architecture, in dist/pkg/ and as an archive that unpacks to `usr/`. */
async function nodeArchive(
  { version, epoch }: Release,
  arch: Architecture,
  bundles: string,
  files: readonly string[],
  dist: string,
): Promise<Artifact[]> {
  const directory = join(dist, "pkg", `nvoci-linux-${arch}`);
  try {
    const made = await nodeExecutable({ root, arch, bundles, files, directory });
    const entries: TarEntry[] = made.map((file) => ({
      path: `${NODE_HOME}/${file}`,
      content: file === "nvoci" ? launcher(root, `/${NODE_HOME}`) : readFileSync(join(directory, file)),
      mode: file.startsWith("LICENSE") ? 0o644 : 0o755,
    }));
    for (const [file, path] of LICENSES)
      entries.push({ path: `${NODE_HOME}/${file}`, content: readFileSync(join(root, path)) });
    entries.push({ path: "usr/bin/nvoci", link: "../lib/nvoci/nvoci" });
    return [{ file: `nvoci-node-${version}-linux-${arch}.tar.gz`, content: await tarGz(entries, epoch, "") }];
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(`No Node.js executable for ${arch}. ${error.message}`);
    return [];
  }
}

const sha256 = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

function printSize(path: string): void {
  console.log(`${relative(root, path)}  ${Math.ceil(statSync(path).size / 1024)} KiB`);
}

try {
  await packageAll();
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
