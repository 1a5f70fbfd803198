import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Artifact, Release } from "./artifact.ts";
import { HOMEPAGE, MAINTAINER } from "./contents.ts";
import { type TarEntry, tarGz } from "./tar.ts";
import { fillTemplate } from "./template.ts";

/** Recipes that build the source archive with a distribution's own tools, in packaging/. */
const RECIPES = ["alpine/APKBUILD", "arch/PKGBUILD", "nix/default.nix"];

/**
 * Makes the archive of the recipes. Each expects the source archive beside it, with the sum that it names.
 *
 * @param source the source archive.
 */
export async function distributionRecipes(
  { root, version, epoch }: Release,
  source: Artifact,
): Promise<Artifact> {
  const sum = (algorithm: string) => createHash(algorithm).update(source.content).digest("hex");
  const values = {
    VERSION: version,
    // apk and pacman have no hyphen in a version.
    RECIPE_VERSION: version.replace(/-(\w+)\.?/, "_$1"),
    HOMEPAGE,
    MAINTAINER,
    SHA256: sum("sha256"),
    SHA512: sum("sha512"),
  };
  const entries: TarEntry[] = RECIPES.map((path) => ({
    path,
    content: fillTemplate(readFileSync(join(root, "packaging", path), "utf8"), values),
  }));
  entries.push({ path: "LICENSE", content: readFileSync(join(root, "LICENSE")) });
  const name = `nvoci-recipes-${version}`;
  return { file: `${name}.tar.gz`, content: await tarGz(entries, epoch, `${name}/`) };
}
