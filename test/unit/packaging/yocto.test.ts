import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MAINTAINER } from "../../../build/package/contents.ts";
import { underscored } from "../../../build/package/yocto-layer.ts";
import { root } from "../../../build/root.ts";
import { parseManifest } from "../../../src/manifest/parse-manifest.ts";

const LAYER = join(root, "packaging/yocto/meta-nvoci");
const recipe = readFileSync(join(LAYER, "recipes-containers/nvoci/nvoci.bb"), "utf8");

describe("underscored()", () => {
  it.each([
    [`FILES:\${PN}-compat = "x"`, `FILES_\${PN}-compat = "x"`],
    [`RRECOMMENDS:\${PN}:append:tegra = " x"`, `RRECOMMENDS_\${PN}_append_tegra = " x"`],
    ['  IMAGE_INSTALL:append = " x"', '  IMAGE_INSTALL_append = " x"'],
    ['A:class-native ?= ""', 'A_class-native ?= ""'],
  ])("changes %j to %j", (today, before) => {
    expect(underscored(today)).toBe(before);
  });

  it.each([
    'A := "x"',
    'A ?= "b:c = d"',
    'SRC_URI = "https://host/a:b"',
    `BBFILES_DYNAMIC += "tegra:\${LAYERDIR}/x"`,
    "# FILES:x = y",
    "python () { d['a:b'] = 1 }",
  ])("leaves %j alone", (line) => {
    expect(underscored(line)).toBe(line);
  });

  it("converts every override in the recipe", () => {
    expect(underscored(recipe)).not.toMatch(/^[A-Z0-9_]+:[^=\s]/m);
    expect(recipe).toMatch(/^[A-Z0-9_]+:[^=\s]/m);
  });
});

/** Variables that OpenEmbedded defines on every branch. */
const GIVEN = [
  ...["BP", "BPN", "D", "EXTENDPKGV", "IMAGE_ROOTFS", "LAYERDIR", "PN", "S"],
  ...["bindir", "datadir", "docdir", "libdir", "prefix", "sysconfdir"],
];

describe("the OpenEmbedded layer", () => {
  const files = readdirSync(LAYER, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.name.endsWith(".md"),
  );
  const texts = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));

  it("uses only defined variables", () => {
    const all = texts.join("\n");
    const defined = [...all.matchAll(/^([A-Z0-9_]+)(?=[:\w${}-]* *[?+.:]*=)/gm)].map(
      ([, name]) => name ?? "",
    );
    const used = [...all.matchAll(/\$\{([A-Za-z0-9_]+)\}/g)].map(([, name]) => name ?? "");
    expect(used.length).toBeGreaterThan(20);
    expect([...new Set(used)].filter((name) => !GIVEN.includes(name) && !defined.includes(name))).toEqual([]);
  });

  it("explains every variable of its own", () => {
    const readme = readFileSync(join(LAYER, "README.md"), "utf8");
    const own = texts.flatMap((text) =>
      [...text.matchAll(/^((?:NVOCI|CONTAINER)_\w+) \?{1,2}=/gm)].map(([, name]) => name ?? ""),
    );
    expect(own.length).toBeGreaterThan(10);
    expect(own.filter((name) => !readme.includes(name))).toEqual([]);
  });

  it("adds no container engine to an image", () => {
    expect(recipe).not.toMatch(/^RDEPENDS\S* = .*\b(docker|podman|containerd|nodejs)\b/m);
  });

  it("has an own summary and description for every package", () => {
    const [, packages = ""] = /^PACKAGES =\+ "(.*)"$/m.exec(recipe) ?? [];
    expect(packages.split(" ").length).toBe(4);
    for (const name of packages.split(" ")) {
      for (const field of ["SUMMARY", "DESCRIPTION", "FILES"])
        expect(recipe).toContain(`\n${field}:${name} = "`);
    }
  });

  it("tells who maintains it, where patches go, and where the project is", () => {
    const readme = readFileSync(join(LAYER, "README.md"), "utf8");
    // As yocto-check-layer reads it.
    expect(readme).toMatch(/maintainer/i);
    expect(readme).toMatch(/patch/i);
    expect(readme.replace("@MAINTAINER@", MAINTAINER)).toMatch(/^[^@]+@[^@]+/);
    expect(readme).not.toMatch(/readme/i);
    expect(readFileSync(join(LAYER, "conf/layer.conf"), "utf8")).toMatch(/^LAYERVERSION_nvoci = /m);
  });

  it("brings as many device nodes of L4T 32 as that release's own manifest, each once", () => {
    const { specs, findings } = parseManifest(readFileSync(join(LAYER, "../l4t32.csv")), "l4t.csv");
    expect(findings).toEqual([]);
    expect(new Set(specs.map(({ path }) => path)).size).toBe(23);
    expect(specs.filter(({ type }) => type !== "dev")).toEqual([]);
  });

  it("runs nothing on the target: no service, no script", () => {
    for (const text of texts)
      expect(text).not.toMatch(/pkg_(post|pre)inst|ontarget|inherit systemd|SYSTEMD_/);
  });
});
