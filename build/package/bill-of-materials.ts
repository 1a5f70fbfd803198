import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SOURCES } from "../pinned-source.ts";
import type { Artifact, Release } from "./artifact.ts";

/**
 * Lists the components of the native programs as a CycloneDX document.
 *
 * @param bundles the directory of the .cjs files.
 * @param files their names.
 * @see https://cyclonedx.org/docs/1.5/json/
 */
export function billOfMaterials(release: Release, bundles: string, files: readonly string[]): Artifact {
  const { root, version, epoch } = release;
  const components = [
    ...Object.entries(SOURCES).map(([name, source]) => ({
      type: "library",
      name,
      version: source.version,
      hashes: [{ alg: "SHA-256", content: source.sha256 }],
      licenses: [{ license: { id: source.licence } }],
    })),
    ...bundledPackages(bundles, files).map((name) => npmComponent(root, name)),
  ];
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
      timestamp: new Date(epoch * 1000).toISOString(),
      component: {
        type: "application",
        name: "nvoci",
        version,
        licenses: [{ license: { id: "Apache-2.0" } }],
      },
    },
    components,
  };
  return { file: `nvoci-${version}.cdx.json`, content: `${JSON.stringify(document, null, 2)}\n` };
}

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

function npmComponent(root: string, name: string) {
  const lock: { packages: Record<string, LockedPackage> } = JSON.parse(
    readFileSync(join(root, "package-lock.json"), "utf8"),
  );
  const locked = lock.packages[`node_modules/${name}`];
  if (!locked) throw new Error(`Cannot list "${name}": package-lock.json does not have it`);
  const { version, license, integrity } = locked;
  const content = Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex");
  return {
    type: "library",
    name,
    version,
    purl: `pkg:npm/${name}@${version}`,
    hashes: [{ alg: "SHA-512", content }],
    licenses: [{ license: { id: license } }],
  };
}
