import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { root } from "../../build/root.ts";
import { runCommand } from "../../fixtures/run/run-command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { describeNeeding } from "../support/engines/prerequisites.ts";

const SCRIPT = join(root, "packaging/yocto/check-layer.sh");

/** What bitbake does, in place of the real one, which needs checkouts. */
interface Bitbake {
  readonly parse?: string;
  readonly recommends?: string;
  readonly depends?: string;
  readonly graph?: string;
  readonly builds?: readonly string[];
  /** A device in the branch's own manifest. */
  readonly device?: string;
}

describeNeeding(["make"], "check-layer.sh", () => {
  let made: TemporaryDirectory;
  let trials = 0;
  beforeAll(() => {
    made = temporaryDirectory("check-layer");
  });
  afterAll(() => made?.remove());

  const check = (
    steps: readonly string[],
    {
      parse = "true",
      recommends = "tegra-libraries-cuda nv-tegra-release",
      depends = "nvoci-l4t32-csv",
      graph = "",
      builds = ["core-image-minimal", "nvoci"],
      device = "/dev/nvhost-gpu",
    }: Bitbake,
  ) => {
    trials += 1;
    const at = (path: string): string => join(made.path, `trial-${trials}`, path);
    const write = (path: string, text: string, mode = 0o644): void => {
      mkdirSync(dirname(at(path)), { recursive: true });
      writeFileSync(at(path), text, { mode });
    };
    const bitbake = `#!/bin/sh
case "$1" in
-p) ${parse} ;;
-e) printf '%s\\n' 'LICENSE="Apache-2.0"' 'RRECOMMENDS:nvoci="${recommends}"' 'RDEPENDS:nvoci-compat="${depends}"' ;;
-g) echo '${graph}'; printf '%s\\n' ${builds.join(" ")} > pn-buildlist; ;;
esac
`;
    write("bitbake/bin/bitbake", bitbake, 0o755);
    write("oe-core/meta/conf/layer.conf", 'LAYERSERIES_CORENAMES = "kirkstone"\n');
    write("meta-tegra/conf/machine/jetson-made-up.conf", "");
    write("meta-tegra/recipes/nvidia-container-runtime/l4t.csv", `dev, ${device}\n`);
    return runCommand(["sh", SCRIPT, ...steps], {
      env: {
        PATH: "/usr/bin:/bin",
        OECORE: at("oe-core"),
        BITBAKE: at("bitbake"),
        META_TEGRA: at("meta-tegra"),
        META_OE: at("meta-oe"),
        META_VIRTUALIZATION: at("meta-virtualization"),
        LAYERS: at("layers"),
        WORK: at("work"),
      },
    });
  };

  it("passes what is right", () => {
    const { status, stdout } = check([], {});
    expect(status).toBe(0);
    expect(stdout.match(/^ok .*/gm)).toEqual(
      ["parse", "graph", "swap", "manifests"].map((step) => `ok    checkouts: ${step}`),
    );
  });

  it.each([
    ["a series that does not parse", "parse", { parse: "exit 1" }],
    ["an error that does not end bitbake", "parse", { parse: "echo ERROR: QA Issue" }],
    [
      "a recommended package that does not exist",
      "graph",
      { graph: "ERROR: Nothing RPROVIDES tegra-configs-container-csv" },
    ],
    ["an image without libcuda", "graph", { recommends: "nv-tegra-release" }],
    ["an image that still builds NVIDIA's stack", "swap", { builds: ["nvoci", "nvidia-container-toolkit"] }],
    ["an image without nvoci", "swap", { builds: ["core-image-minimal"] }],
    ["a device of L4T 32 that nvoci's manifest lacks", "manifests", { device: "/dev/nvhost-new" }],
    ["a replacement without the manifest of L4T 32", "manifests", { depends: "nvoci" }],
  ] satisfies [string, string, Bitbake][])("fails for %s", (_, step, bitbake) => {
    const { status, stderr } = check([step], bitbake);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^FAIL {2}checkouts: /m);
  });
});
