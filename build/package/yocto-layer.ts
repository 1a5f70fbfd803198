import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pinnedSource } from "../pinned-source.ts";
import type { Artifact, Release } from "./artifact.ts";
import { HOMEPAGE, MAINTAINER } from "./contents.ts";
import type { TarEntry } from "./tar.ts";

const LAYER = "packaging/yocto/meta-nvoci";
const RECIPES = "recipes-containers/nvoci";

/** Release series by the sign before overrides: `_`, and `:` since honister. */
const UNDERSCORE = ["zeus", "dunfell", "gatesgarth", "hardknott"];
const COLON = [
  ...["honister", "kirkstone", "langdale", "mickledore", "nanbield", "scarthgap"],
  ...["styhead", "walnascar", "whinlatter", "wrynose", "blacksail"],
];

/**
 * Returns the files of the OpenEmbedded layers: one with today's override syntax and one with that before honister.
 * Both contain the source archive.
 *
 * @param source the source archive.
 */
export function yoctoLayers({ root, version }: Release, source: Artifact): TarEntry[] {
  const md5 = (path: string) => createHash("md5").update(readFileSync(path)).digest("hex");
  const values = {
    HOMEPAGE,
    MAINTAINER,
    LICENSE_MD5: md5(join(root, "LICENSE")),
    QUICKJS_MD5: md5(join(pinnedSource("quickjs"), "LICENSE")),
    COPYRIGHT_MD5: md5(join(root, "packaging/deb/copyright")),
    SHA256: createHash("sha256").update(source.content).digest("hex"),
  };
  const templates = readdirSync(join(root, LAYER), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(root, LAYER).length + 1));
  const layer = (name: string, series: readonly string[], convert: (text: string) => string): TarEntry[] => [
    ...templates.map((path) => ({
      path: `${name}/${path.replace("nvoci.bb", `nvoci_${version}.bb`)}`,
      content: convert(
        fill(readFileSync(join(root, LAYER, path), "utf8"), { ...values, SERIES: series.join(" ") }),
      ),
    })),
    { path: `${name}/${RECIPES}/files/${source.file}`, content: source.content },
    { path: `${name}/LICENSE`, content: readFileSync(join(root, "LICENSE")) },
  ];
  return [
    ...layer("meta-nvoci", COLON, (text) => text),
    ...layer("meta-nvoci-dunfell", UNDERSCORE, underscored),
  ];
}

const fill = (text: string, values: Readonly<Record<string, string>>) =>
  text.replace(/@([A-Z][A-Z0-9_]*)@/g, (_, key: string) => `${values[key]}`);

/** Returns the same assignments with `_` between a variable and its overrides, for releases before honister. */
export const underscored = (text: string): string =>
  text.replace(
    /^( *)([A-Z0-9_]+)((?::[\w${}-]+)+)(?= *[?+.:]?=)/gm,
    (_, indent: string, name: string, overrides: string) =>
      `${indent}${name}${overrides.replaceAll(":", "_")}`,
  );
