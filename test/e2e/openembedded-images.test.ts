import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { yoctoEntries } from "../../fixtures/host/fake-l4t.ts";
import { deviceEntry, fileEntry, type TreeEntry } from "../../fixtures/host/tree-entry.ts";
import { TRIPLET } from "../../fixtures/rootfs.ts";
import { runContainer } from "../../fixtures/run/container.ts";
import { mustRun, runCommand } from "../../fixtures/run/run-command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import type { Operation } from "../../src/plan/operation.ts";
import { matchGlob } from "../../src/text/match-glob.ts";
import { expand, type Recipe, readRecipe } from "../support/build/recipe.ts";
import { packageCopy } from "../support/build/release.ts";
import { CONTAINER, describeNeeding } from "../support/engines/prerequisites.ts";
import { askingBundle, openJetson } from "../support/host/jetson.ts";

/** Flags like those of OpenEmbedded's distributions, for a C library that is not musl. */
const CFLAGS =
  "-O2 -pipe -g -feliminate-unused-debug-types -fstack-protector-strong -D_FORTIFY_SOURCE=2 -Wformat -Werror=format-security";
const LDFLAGS = "-Wl,-O1 -Wl,--hash-style=gnu -Wl,--as-needed -Wl,-z,relro,-z,now";

const LIBCUDA = "/usr/lib/libcuda.so.1.1";
const CUDA_ENTRIES = "lib, /usr/lib/libcuda.so.1.1\nsym, /usr/lib/libcuda.so\nsym, /usr/lib/libcuda.so.1\n";
const DEVICES = "dev, /dev/nvhost-gpu\ndev, /dev/nvmap\n";

/** An image of meta-tegra: what its own packages bring, and which packages of nvoci the layer adds. */
interface Image {
  readonly layer: "meta-nvoci" | "meta-nvoci-dunfell";
  readonly packages: readonly string[];
  /** `null` for images whose recipes do not bring nv-tegra-release. */
  readonly release: string | null;
  readonly manifests: Readonly<Record<string, string>>;
}

const IMAGES: readonly Image[] = [
  {
    layer: "meta-nvoci-dunfell",
    packages: ["nvoci", "compat", "l4t32-csv"],
    release: null,
    manifests: { "tegra-libraries.csv": CUDA_ENTRIES },
  },
  {
    layer: "meta-nvoci",
    packages: ["nvoci", "compat", "l4t32-csv"],
    release: "32.7.6",
    manifests: { "tegra-libraries-cuda.csv": CUDA_ENTRIES },
  },
  {
    layer: "meta-nvoci",
    packages: ["nvoci", "compat"],
    release: "35.6.4",
    manifests: { "l4t.csv": DEVICES + CUDA_ENTRIES },
  },
  ...["36.5.0", "39.2.0"].map((release) => ({
    layer: "meta-nvoci" as const,
    packages: ["nvoci", "compat"],
    release,
    manifests: { "devices.csv": DEVICES, "drivers.csv": CUDA_ENTRIES },
  })),
];

describeNeeding(["make", ...CONTAINER], "the recipe of the OpenEmbedded layers", () => {
  let made: TemporaryDirectory;
  let layers: string;
  const at = (name: string): string => join(made.path, name);
  beforeAll(() => {
    made = temporaryDirectory("recipe");
    layers = packageCopy(at("release"), ["--layers-only"]).path;
  });
  afterAll(() => made?.remove());

  const directory = (layer: string): string => join(layers, layer, "recipes-containers/nvoci");
  const readLayer = (layer: string): Recipe => {
    const [file = ""] = readdirSync(directory(layer)).filter((name) => name.endsWith(".bb"));
    return readRecipe(join(directory(layer), file));
  };
  const archive = (layer: string): string =>
    join(directory(layer), "files", readdirSync(join(directory(layer), "files"))[0] ?? "");

  /** The unpacked archive, which is the same in both layers. */
  function sources(): string {
    const work = at("work");
    mkdirSync(work, { recursive: true });
    if (readdirSync(work).length === 0) mustRun(["tar", "-xzf", archive("meta-nvoci"), "-C", work]);
    return join(work, readdirSync(work)[0] ?? "");
  }

  /** Runs the recipe's tasks with a compiler and make, once per layer. Returns the installed tree. */
  const installed = new Map<string, string>();
  function install(layer: string, says: Readonly<Record<string, string>> = {}): string {
    const key = `${layer}${JSON.stringify(says)}`.replaceAll(/\W/g, "-");
    const known = installed.get(key);
    if (known !== undefined) return known;
    const recipe = readLayer(layer);
    const S = sources();
    const values = { ...says, BPN: "nvoci", PN: "nvoci", S, D: at(`image-${key}`) };
    const make = expand(recipe.values.EXTRA_OEMAKE ?? "unset", { ...recipe.values, ...says });
    const script = [
      `oe_runmake() { make -j2 ${make} "$@"; }`,
      recipe.task("do_compile", values),
      recipe.task("do_install", values),
    ];
    mustRun(["sh", "-ec", script.join("\n")], {
      cwd: S,
      env: { PATH: "/usr/bin:/bin", bindir: "/usr/bin", datadir: "/usr/share", CFLAGS, LDFLAGS },
      timeout: 240_000,
    });
    installed.set(key, values.D);
    return values.D;
  }
  const listFiles = (tree: string): string[] =>
    readdirSync(tree, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(tree.length))
      .sort();
  /** Divides the files as the recipe's FILES do. OpenEmbedded's own patterns give -doc and the main package the rest. */
  function packagesOf(layer: string, tree: string): ReadonlyMap<string, readonly string[]> {
    const recipe = readLayer(layer);
    const named = ["compat", "config", "docker-config", "l4t32-csv"];
    const owner = (file: string): string =>
      named.find((name) => recipe.files(name).some((claim) => isClaimed(file, claim))) ??
      (/^\/usr\/share\/(man|doc)\//.test(file) ? "doc" : "nvoci");
    const divided = new Map<string, string[]>();
    for (const file of listFiles(tree)) divided.set(owner(file), [...(divided.get(owner(file)) ?? []), file]);
    return divided;
  }

  describe.each(["meta-nvoci", "meta-nvoci-dunfell"])("in %s", (layer) => {
    it("installs every file into the package that the manual names", () => {
      const tree = install(layer);
      expect(Object.fromEntries([...packagesOf(layer, tree)].filter(([name]) => name !== "doc"))).toEqual({
        nvoci: ["/usr/bin/nvoci", "/usr/bin/nvoci-hook", "/usr/bin/nvoci-runtime"],
        compat: [
          "/usr/bin/nvidia-container-runtime",
          "/usr/bin/nvidia-container-runtime-hook",
          "/usr/bin/nvidia-container-toolkit",
          "/usr/share/containers/oci/hooks.d/oci-nvoci-prestart.json",
        ],
        config: ["/etc/nvidia-container-runtime/config.toml"],
        "docker-config": ["/etc/docker/daemon.json"],
        "l4t32-csv": ["/etc/nvidia-container-runtime/host-files-for-container.d/l4t.csv"],
      });
      const documents = packagesOf(layer, tree).get("doc") ?? [];
      expect(documents).toEqual(
        expect.arrayContaining(["/usr/share/doc/nvoci/config.toml", "/usr/share/doc/nvoci/nvoci.cdx.json"]),
      );
    });

    it("builds a static program that the packager can strip", () => {
      const program = join(install(layer), "usr/bin/nvoci");
      expect(mustRun(["readelf", "--sections", program])).toContain(".symtab");
      expect(mustRun(["readelf", "--program-headers", program])).not.toContain("INTERP");
      mustRun(["strip", "-o", at("stripped"), program]);
      expect(runCommand([at("stripped"), "--version"]).status).toBe(0);
      expect(lstatSync(at("stripped")).size).toBeLessThan(3_000_000);
    });

    it("names the licenses and the checksum of the archive", () => {
      const { text } = readLayer(layer);
      const sums = [...text.matchAll(/file:\/\/(\S+);md5=(\w+)/g)];
      expect(sums).toHaveLength(3);
      for (const [, file = "", sum] of sums) expect(hash("md5", join(sources(), file))).toBe(sum);
      const [, sum] = /^SRC_URI\[sha256sum\] = "(\w+)"$/m.exec(text) ?? [];
      expect(hash("sha256", archive(layer))).toBe(sum);
    });

    it("contains no placeholder", () => {
      const files = listFiles(join(layers, layer)).filter((file) => !file.endsWith(".gz"));
      expect(files.length).toBeGreaterThan(5);
      const faults = files.filter((file) =>
        /@[A-Z0-9_]+@/.test(readFileSync(join(layers, layer, file), "utf8")),
      );
      expect(faults).toEqual([]);
    });
  });

  it("sets what NVOCI_CSV_MOUNTS says in config.toml, and nothing without it", () => {
    const settings = (tree: string): string[] =>
      readFileSync(join(tree, "etc/nvidia-container-runtime/config.toml"), "utf8")
        .split("\n")
        .filter((line) => /^[a-z]/.test(line));
    expect(settings(install("meta-nvoci"))).toEqual([]);
    expect(settings(install("meta-nvoci", { NVOCI_CSV_MOUNTS: "all" }))).toEqual(['csv-mounts = "all"']);
  });

  it.each(
    IMAGES,
  )("makes an image of $layer for L4T $release give containers libcuda, with nothing configured", async ({
    layer,
    packages,
    release,
    manifests,
  }) => {
    const tree = install(layer);
    const files = packagesOf(layer, tree);
    const ours = packages.flatMap((name) => files.get(name) ?? []).map((file) => entryOf(tree, file));
    const jetson = await openJetson({
      manifests,
      release,
      more: [
        ...yoctoEntries(),
        ...ours,
        // The driver's packages: libraries are there however the manifests name them.
        fileEntry(LIBCUDA, "libcuda"),
        ...["libcuda.so", "libcuda.so.1"].map(
          (name): TreeEntry => ({ kind: "link", path: `/usr/lib/${name}`, target: "libcuda.so.1.1" }),
        ),
        ...["nvhost-gpu", "nvhost-ctrl-gpu", "nvmap"].map((name, minor) =>
          deviceEntry(`/dev/${name}`, 505, minor),
        ),
      ],
    });
    try {
      // Every board has the SoC's family, which this machine lacks.
      const soc =
        "mount -t tmpfs none /sys/devices; mkdir /sys/devices/soc0; echo Tegra > /sys/devices/soc0/family";
      expect(jetson.place.run(["sh", "-ec", soc]).status).toBe(0);
      expect(jetson.place.run(["nvidia-container-runtime-hook", "--version"]).stdout).toContain("(nvoci)");
      const { stdout } = jetson.place.run(["nvoci", "plan", "--json"]);
      const { operations }: { operations: readonly Operation[] } = JSON.parse(stdout);
      const hosts = operations.flatMap((operation) => ("hostPath" in operation ? [operation.hostPath] : []));
      expect(hosts).toContain(LIBCUDA);
      const devices = operations.flatMap((operation) => (operation.op === "bind-device" ? [operation] : []));
      expect(devices.length).toBeGreaterThanOrEqual(2);
      const bundle = askingBundle({ name: "native", path: "/usr/bin/nvoci" });
      const inside = runContainer(bundle, ["cat", `/usr/lib/${TRIPLET}/libcuda.so.1`], jetson.place);
      bundle.remove();
      expect(inside).toEqual({ status: 0, stdout: "libcuda", stderr: "" });
    } finally {
      jetson.close();
    }
  });
});

/** Returns the entry of an installed file or link. */
function entryOf(tree: string, path: string): TreeEntry {
  const full = join(tree, path);
  if (lstatSync(full).isSymbolicLink()) return { kind: "link", path, target: readlinkSync(full) };
  return fileEntry(path, readFileSync(full), lstatSync(full).mode & 0o777);
}

/** Reports whether a pattern of FILES matches a file or a directory above it. */
const isClaimed = (file: string, claim: string): boolean =>
  file.startsWith(`${claim}/`) ||
  (dirname(file) === dirname(claim) && matchGlob(basename(claim), basename(file)));

const hash = (algorithm: string, path: string): string =>
  createHash(algorithm).update(readFileSync(path)).digest("hex");
