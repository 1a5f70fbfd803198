import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../fixtures/run/run-command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { builds } from "../support/build/builds.ts";
import { expand, type Recipe, readRecipe, type Values } from "../support/build/recipe.ts";
import { packageCopy } from "../support/build/release.ts";
import { describeNeeding } from "../support/engines/prerequisites.ts";

const MANIFESTS = "etc/nvidia-container-runtime/host-files-for-container.d";
const [native] = builds();

describeNeeding(["make", "build"], "the classes of the OpenEmbedded layers", () => {
  let made: TemporaryDirectory;
  let layers: string;
  let trees = 0;
  beforeAll(() => {
    made = temporaryDirectory("classes");
    layers = packageCopy(join(made.path, "release"), ["--layers-only"]).path;
    mkdirSync(join(made.path, "bin"));
    symlinkSync(native?.path ?? "", join(made.path, "bin/nvoci"));
  });
  afterAll(() => made?.remove());

  /** Makes a tree of files. A path with an arrow is a link, one with an equals sign has content. */
  const tree = (...paths: string[]): string => {
    trees += 1;
    const image = join(made.path, `tree-${trees}`);
    mkdirSync(image);
    for (const path of paths) {
      const [file = "", target, content = ""] = path.split(/ -> |(?==)=/s);
      mkdirSync(join(image, dirname(file)), { recursive: true });
      if (path.includes(" -> ")) symlinkSync(target ?? "", join(image, file));
      else writeFileSync(join(image, file), path.includes("=") ? `${target}${content}` : "");
    }
    return image;
  };
  const recipe = (layer: string, name: string): Recipe =>
    readRecipe(join(layers, layer, `classes/${name}.bbclass`));
  const shell = (script: string) =>
    runCommand(["sh", "-ec", script], { env: { PATH: `${made.path}/bin:/usr/bin:/bin` } });

  describe.each(["meta-nvoci", "meta-nvoci-dunfell"])("nvoci-container-csv of %s", (layer) => {
    /** Runs the class for a recipe that has installed a tree. Returns the lines of its manifest. */
    const generate = (image: string, says: Values) => {
      const csv = recipe(layer, "nvoci-container-csv");
      const given = { PN: "library", ...says, D: image };
      const { status, stderr } = shell(csv.task("nvoci_container_csv", given));
      const file = join(image, MANIFESTS, `${given.PN}.csv`);
      const lines = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : undefined;
      return { status, stderr, lines };
    };

    it("lists only the libraries and links of cuDNN and TensorRT", () => {
      const cudnn = tree(
        "usr/lib/libcudnn.so.8 -> libcudnn.so.8.2.1",
        "usr/lib/libcudnn.so -> libcudnn.so.8",
        "usr/lib/libcudnn.so.8.2.1",
        "usr/lib/libcudnn_static.a",
        "usr/include/cudnn.h",
      );
      expect(generate(cudnn, {}).lines).toEqual([
        "sym, /usr/lib/libcudnn.so",
        "sym, /usr/lib/libcudnn.so.8",
        "lib, /usr/lib/libcudnn.so.8.2.1",
      ]);
      const tensorrt = tree("usr/lib/libnvinfer.so.8", "usr/lib/libv4l2rds.so.0");
      const says = { CONTAINER_CSV_EXCLUDE_FILES: "libv4l2rds*" };
      expect(generate(tensorrt, { ...says, CONTAINER_CSV_EXTRA: "lib, /a\\nsym, /b" }).lines).toEqual([
        "lib, /usr/lib/libnvinfer.so.8",
        "lib, /a",
        "sym, /b",
      ]);
    });

    it("lists CUDA's directory as a directory, and a link to it as a link", () => {
      const cuda = tree("usr/local/cuda-10.2/lib/libcudart.so.10.2", "usr/local/cuda -> cuda-10.2");
      expect(generate(cuda, { CONTAINER_CSV_FILES: "/usr/local/cuda*" }).lines).toEqual([
        "sym, /usr/local/cuda",
        "dir, /usr/local/cuda-10.2",
      ]);
    });

    it("keeps the manifests that the recipe itself installs", () => {
      const image = tree(`${MANIFESTS}/own.csv`, "usr/lib/a.so");
      expect(generate(image, {}).status).toBe(0);
      expect(readdirSync(join(image, MANIFESTS))).toEqual(["library.csv", "own.csv"]);
    });

    it("makes no manifest for a recipe whose list is empty", () => {
      const says = { CONTAINER_CSV_FILES: "", CONTAINER_CSV_PKGNAME: "" };
      expect(generate(tree("usr/include/nvcc.h"), says)).toEqual({ status: 0, stderr: "", lines: undefined });
    });

    it("warns of a pattern without a match, and lists the others", () => {
      const image = tree("usr/lib/a.so");
      const found = generate(image, { CONTAINER_CSV_FILES: "/usr/lib/missing* /usr/lib/*.so*" });
      expect(found).toMatchObject({ status: 0, lines: ["lib, /usr/lib/a.so"] });
      expect(found.stderr).toMatch(/^WARNING: .*\/usr\/lib\/missing\*/);
      expect(generate(tree("usr/bin/tool"), {})).toMatchObject({ status: 0, lines: undefined });
    });

    it("takes patterns without a slash at the front", () => {
      const image = tree("usr/lib/a.so", "opt/b");
      expect(generate(image, { CONTAINER_CSV_FILES: "usr/lib/*.so opt/b" }).lines).toEqual([
        "lib, /opt/b",
        "lib, /usr/lib/a.so",
      ]);
    });

    it("lists libraries where CONTAINER_CSV_LIB_PATH says", () => {
      const image = tree(
        "usr/lib/a.so",
        "usr/lib/b.so -> a.so",
        "usr/lib/aarch64-linux-gnu/c.so",
        "opt/d.so",
      );
      const says = {
        CONTAINER_CSV_FILES: "/usr/lib/*.so /usr/lib/*/*.so /opt/*",
        CONTAINER_CSV_LIB_PATH: "/usr/lib/aarch64-linux-gnu/",
      };
      expect(generate(image, says).lines?.sort()).toEqual([
        "lib, /opt/d.so",
        "lib, /usr/lib/aarch64-linux-gnu/a.so",
        "lib, /usr/lib/aarch64-linux-gnu/c.so",
        "sym, /usr/lib/aarch64-linux-gnu/b.so",
      ]);
    });

    it("fails if nvoci fails", () => {
      const image = tree("usr/lib/a.so", "usr/lib/b\n.so");
      expect(generate(image, {}).status).not.toBe(0);
    });

    it("is for boards only, in the layer's syntax", () => {
      const { text } = recipe(layer, "nvoci-container-csv");
      const sign = layer === "meta-nvoci" ? ":" : "_";
      for (const name of ["NVOCI_CSV_FUNCTION", "NVOCI_CSV_DEPENDS", "PACKAGES:prepend"]) {
        expect(text).toMatch(new RegExp(`^${`${name}:tegra`.replaceAll(":", sign)} = `, "m"));
      }
      const recommends = ["RRECOMMENDS", "\\$\\{PN\\}", "append", "tegra"].join(sign);
      expect(text).toMatch(new RegExp(`^${recommends} = `, "m"));
      expect(text).not.toMatch(/^(DEPENDS|do_install\[postfuncs\]) \+= "nvoci/m);
    });
  });

  describe.each(["meta-nvoci", "meta-nvoci-dunfell"])("nvoci-manifest of %s", (layer) => {
    const DRIVERS = `/${MANIFESTS}/drivers.csv`;
    /** Runs the class for an image. Returns the lines of the manifest and all files of its directory. */
    const generate = (image: string, says: Values) => {
      const manifest = recipe(layer, "nvoci-manifest");
      const given = { NVOCI_MANIFEST_PATTERNS: "/usr/lib/lib*", ...says, IMAGE_ROOTFS: image };
      const { status, stderr } = shell(manifest.task("nvoci_generate_manifest", given));
      const file = expand("$" + "{NVOCI_MANIFEST}", { sysconfdir: "/etc", ...manifest.values, ...says });
      const text = existsSync(join(image, file)) ? readFileSync(join(image, file), "utf8") : "";
      return { status, stderr, lines: text.split("\n"), files: readdirSync(join(image, MANIFESTS)) };
    };

    it("lists what the image has installed, in a file of its own", () => {
      const image = tree(
        "usr/lib/libb.so.1",
        "usr/lib/liba.so.1",
        "usr/lib/liba.a",
        "usr/local/cuda -> cuda-10.2",
      );
      mkdirSync(join(image, "usr/local/cuda-10.2"));
      const says = { NVOCI_MANIFEST_PATTERNS: "/usr/lib/lib* /usr/local/*", NVOCI_MANIFEST_EXCLUDE: "*.a" };
      expect(generate(image, says)).toEqual({
        status: 0,
        stderr: "",
        lines: [
          "lib, /usr/lib/liba.so.1",
          "lib, /usr/lib/libb.so.1",
          "sym, /usr/local/cuda",
          "dir, /usr/local/cuda-10.2",
          "",
        ],
        files: ["image.csv"],
      });
    });

    it("fails for a pattern without a match", () => {
      const { status, stderr } = generate(tree("usr/lib/x"), {});
      expect(status).not.toBe(0);
      expect(stderr).toContain("/usr/lib/lib*");
    });

    it.each([
      ["ends in a line feed", "lib, /usr/lib/libcuda.so.1.1\n# kept\n"],
      ["does not", "lib, /usr/lib/libcuda.so.1.1\n# kept"],
    ])("adds what it lacks to a recipe's manifest that %s", (_, text) => {
      const image = tree(`${DRIVERS}=${text}`, "usr/lib/libcuda.so.1.1", "usr/lib/liba.so.1");
      expect(generate(image, { NVOCI_MANIFEST: DRIVERS })).toEqual({
        status: 0,
        stderr: "",
        lines: ["lib, /usr/lib/libcuda.so.1.1", "# kept", "lib, /usr/lib/liba.so.1", ""],
        files: ["drivers.csv"],
      });
    });

    it("recognizes entries whatever white space they have", () => {
      const image = tree(`${DRIVERS}=  lib ,/usr/lib/liba.so.1 \n`, "usr/lib/liba.so.1");
      expect(generate(image, { NVOCI_MANIFEST: DRIVERS }).lines).toEqual(["  lib ,/usr/lib/liba.so.1 ", ""]);
    });

    it("fails if the recipe's manifest has a path as another type, and leaves it as it is", () => {
      const text = "sym, /usr/lib/liba.so.1\n";
      const image = tree(`${DRIVERS}=${text}`, "usr/lib/liba.so.1");
      const { status, stderr, lines } = generate(image, { NVOCI_MANIFEST: DRIVERS });
      expect(status).not.toBe(0);
      expect(stderr).toContain("/usr/lib/liba.so.1 is a sym there, and a lib in the image");
      expect(stderr).toContain(`ERROR: Cannot add to "${DRIVERS}"`);
      expect(lines.join("\n")).toBe(text);
    });

    it("fails if the name is a link", () => {
      const image = tree(`${DRIVERS} -> /run/drivers.csv`, "usr/lib/liba.so.1");
      const { status, stderr } = generate(image, { NVOCI_MANIFEST: DRIVERS });
      expect(status).not.toBe(0);
      expect(stderr).toContain(`ERROR: Cannot write "${DRIVERS}"`);
    });
  });
});
