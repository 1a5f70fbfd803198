import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { root } from "../../build/root.ts";
import { mustRun } from "../../fixtures/run/run-command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { describeNeeding } from "../support/engines/prerequisites.ts";

const LAYER = join(root, "packaging/yocto/meta-nvoci");
const RECIPE = readFileSync(join(LAYER, "recipes-containers/nvoci/nvoci.bb"), "utf8");
const APPEND = readFileSync(
  join(LAYER, "dynamic-layers/meta-tegra/recipes-containers/nvoci/nvoci_%.bbappend"),
  "utf8",
);

/** Evaluates an expression of a recipe as bitbake would, with the search path of a series. */
const HARNESS = `
import os, sys
class bb:
    class utils:
        def which(path, name):
            return next((full for full in (os.path.join(one, name) for one in path.split(":")) if os.path.exists(full)), "")
class d:
    def getVar(name):
        return sys.argv[1] if name == "BBPATH" else None
text, expression = sys.stdin.read().split("\\0")
scope = {"bb": bb, "d": d}
exec(text, scope)
print(eval(expression, scope))
`;

const BINARIES = "meta-tegra/recipes-bsp/tegra-binaries";
const L4T32_CLASS = "meta-tegra/classes/container-runtime-csv.bbclass";

/** Files that series of OE-core and meta-tegra have, as far as the recipe looks for them. */
const SERIES = {
  "zeus-l4t-r32.3.1": [
    L4T32_CLASS,
    ...["nv-tegra-release_32.3.1", "tegra-libraries_32.3.1"].map((name) => `${BINARIES}/${name}.bb`),
  ],
  dunfell: [
    L4T32_CLASS,
    ...["nv-tegra-release_32.7.4", "tegra-libraries-cuda_32.7.4"].map((name) => `${BINARIES}/${name}.bb`),
  ],
  "kirkstone-l4t-r32.7.x": [
    L4T32_CLASS,
    ...["nv-tegra-release", "tegra-libraries-cuda", "tegra-container-passthrough"].map(
      (name) => `${BINARIES}/${name}_32.7.6.bb`,
    ),
  ],
  kirkstone: [
    `${BINARIES}/tegra-configs/l4t.csv`,
    ...["nv-tegra-release", "tegra-libraries-cuda", "tegra-container-passthrough"].map(
      (name) => `${BINARIES}/${name}_35.6.4.bb`,
    ),
  ],
  wrynose: [
    `${BINARIES}/tegra-configs/devices.csv`,
    `${BINARIES}/tegra-configs/drivers.csv`,
    ...[
      "nv-tegra-release",
      "tegra-libraries-cuda",
      "tegra-libraries-nvml",
      "tegra-container-passthrough",
    ].map((name) => `${BINARIES}/${name}_39.2.0.bb`),
  ],
  master: ["meta/lib/oe/spdx_license.py"],
} as const;

describeNeeding(["python3"], "an expression of the OpenEmbedded recipe", () => {
  let made: TemporaryDirectory;
  beforeAll(() => {
    made = temporaryDirectory("series");
    for (const [series, files] of Object.entries(SERIES)) {
      for (const file of files) {
        mkdirSync(dirname(join(made.path, series, file)), { recursive: true });
        writeFileSync(join(made.path, series, file), "");
      }
    }
  });
  afterAll(() => made?.remove());

  /** Evaluates what a variable is set to, on a series. */
  const evaluate = (text: string, variable: string, series: string): string => {
    const [, expression] = new RegExp(`^${variable} \\??= "\\$\\{@(.*)\\}"$`, "m").exec(text) ?? [];
    const [functions = ""] = /^def [\s\S]*?^$(?=\n\w)/m.exec(text.replaceAll(/\n\n(?= )/g, "\n")) ?? [""];
    const path = ["build", "meta", "meta-tegra"].map((layer) => join(made.path, series, layer)).join(":");
    const input = `${functions}\0${expression?.replaceAll("$" + "{PN}", "nvoci")}`;
    return mustRun(["python3", "-c", HARNESS, path], { input }).trim();
  };

  it.each([
    ["dunfell", "&"],
    ["kirkstone", "&"],
    ["wrynose", "&"],
    ["master", "AND"],
  ])("joins licenses on %s with %s", (series, sign) => {
    expect(evaluate(RECIPE, "NVOCI_AND", series)).toBe(sign);
  });

  it.each([
    ["zeus-l4t-r32.3.1", "tegra-libraries nv-tegra-release"],
    ["dunfell", "tegra-libraries-cuda nv-tegra-release"],
    ["kirkstone-l4t-r32.7.x", "tegra-libraries-cuda nv-tegra-release tegra-container-passthrough"],
    [
      "kirkstone",
      "tegra-libraries-cuda nv-tegra-release tegra-container-passthrough tegra-configs-container-csv",
    ],
    [
      "wrynose",
      "tegra-libraries-cuda tegra-libraries-nvml nv-tegra-release tegra-container-passthrough tegra-configs-container-csv",
    ],
  ])("recommends on %s only what the branch has", (series, packages) => {
    expect(evaluate(APPEND, "NVOCI_TEGRA_RECOMMENDS", series)).toBe(packages);
  });

  it.each([
    ["zeus-l4t-r32.3.1", "nvoci-l4t32-csv"],
    ["kirkstone-l4t-r32.7.x", "nvoci-l4t32-csv"],
    ["kirkstone", ""],
    ["wrynose", ""],
  ])("brings on %s with -compat the manifest %j", (series, name) => {
    expect(evaluate(APPEND, "NVOCI_L4T32_CSV", series)).toBe(name);
  });
});
