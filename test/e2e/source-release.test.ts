import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mustRun, runCommand } from "../../fixtures/run/run-command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { matchGlob } from "../../src/text/match-glob.ts";
import { packageCopy, type Release } from "../support/build/release.ts";
import { describeNeeding } from "../support/engines/prerequisites.ts";
import { readAr, readTarGz } from "../support/image/archives.ts";

/** Tools that a C compiler and make need. Node.js is not among them. */
const TOOLS = ["ar", "as", "cc", "chmod", "dirname", "install", "ld", "ln", "make", "mkdir", "rm", "sh"];
/** Variables that OpenEmbedded sets for every recipe. */
const OE = { bindir: "/usr/bin", datadir: "/usr/share", docdir: "/usr/share/doc", sysconfdir: "/etc" };

describeNeeding(["make", "dpkg", "an arm64 compiler"], "the source archive", () => {
  let made: TemporaryDirectory;
  let release: Release;
  let source: string;
  let layers: string;
  const at = (name: string): string => join(made.path, name);

  beforeAll(() => {
    made = temporaryDirectory("source");
    release = packageCopy(at("release"));
    layers = at("layers");
    for (const name of ["layers", "tools", "unpacked"]) mkdirSync(at(name));
    mustRun(["tar", "-xzf", release.file(/^nvoci-[\d.]+tar\.gz$/), "-C", at("unpacked")]);
    mustRun(["tar", "-xzf", release.file(/^meta-nvoci-.*\.tar\.gz$/), "-C", layers]);
    const [directory = ""] = readdirSync(at("unpacked"));
    source = join(at("unpacked"), directory);
    for (const tool of TOOLS) symlinkSync(mustRun(["which", tool]).trim(), at(`tools/${tool}`));
  });
  afterAll(() => made?.remove());

  /** Runs shell lines in an unpacked copy, with only a compiler and make. */
  const shell = (lines: string, directory: string, env: Record<string, string> = {}): string =>
    mustRun(["sh", "-ec", lines], {
      cwd: directory,
      env: { PATH: at("tools"), ...env },
      timeout: 240_000,
    });
  const listFiles = (directory: string): string[] =>
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(directory.length))
      .sort();
  const recipe = (layer: string): string => {
    const directory = join(layers, layer, "recipes-containers/nvoci");
    const [file = ""] = readdirSync(directory).filter((name) => name.endsWith(".bb"));
    return readFileSync(join(directory, file), "utf8");
  };
  const variables = (text: string): Record<string, string> =>
    Object.fromEntries(
      [...text.matchAll(/^([A-Z_]+) \??= "(.*)"$/gm)].map(([, name, value]) => [name, value]),
    );
  const task = (text: string, name: string): string =>
    new RegExp(`^${name}\\(\\) \\{\\n([\\s\\S]*?)^\\}`, "m").exec(text)?.[1] ?? "exit 1";
  /** Expands variables as bitbake would. */
  const expand = (text: string, values: Readonly<Record<string, string>>): string =>
    text.replace(/\$\{(\w+)\}/g, (whole, name) =>
      name in values ? expand(values[name] ?? "", values) : whole,
    );

  it("unpacks to one directory with the release's name", () => {
    const { version } = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
    expect(readdirSync(at("unpacked"))).toEqual([`nvoci-${version}`]);
    for (const file of ["LICENSE", "quickjs/LICENSE", "src/main.ts", "build/build.ts", "package-lock.json"]) {
      expect([file, existsSync(join(source, file))]).toEqual([file, true]);
    }
  });

  it("builds a program for another machine with a cross compiler, and a dynamic one for this machine", () => {
    const compiler = { CFLAGS: "-O0", CC: mustRun(["which", "aarch64-linux-gnu-gcc"]).trim() };
    shell("make -j2", source, compiler);
    expect(readFileSync(join(source, "nvoci")).readUInt16LE(18)).toBe(183);
    shell("make clean; make -j2 LINKING= CFLAGS=-O0", source);
    const answer = runCommand([join(source, "nvoci"), "--version"]);
    expect(answer).toMatchObject({ status: 0, stdout: expect.stringMatching(/^nvoci \d/) });
    expect(mustRun(["readelf", "--program-headers", join(source, "nvoci")])).toContain("INTERP");
    shell("make clean", source);
  });

  it("builds a program that loads bytecode where the heap cannot be used", () => {
    const program = join(source, "nvoci");
    const manifest = at("broken.csv");
    writeFileSync(manifest, "lib, relative/path\nbogus\n");
    const outcomes = ["", " -DNVOCI_NO_HEAP"].map((flag) => {
      shell(`make clean; make -j2 CFLAGS='-O0${flag}'`, source);
      const sections = mustRun(["readelf", "--sections", "--wide", program]);
      const answers = [["--version"], ["manifest", "lint", manifest], ["plan"]].map((args) =>
        runCommand([program, ...args]),
      );
      return { heap: sections.includes(".nvoci_heap"), answers };
    });
    expect(outcomes.map(({ heap }) => heap)).toEqual([true, false]);
    expect(outcomes[1]?.answers).toEqual(outcomes[0]?.answers);
    shell("make clean", source);
  });

  it("installs the files of the Debian packages, except Debian's own", async () => {
    shell(`make -j2 CFLAGS=-O0; make install install-compat DESTDIR=${at("installed")}`, source);
    const packaged: string[] = [];
    for (const pattern of [/^nvoci_.*_amd64\.deb$/, /^nvoci-compat_.*\.deb$/]) {
      const data = readAr(readFileSync(release.file(pattern))).find(({ name }) => name === "data.tar.gz");
      for (const { header } of await readTarGz(data?.content ?? Buffer.from(""))) {
        if (header.type !== "directory")
          packaged.push(header.name.slice(1).replace(/(\/man\/.*)\.gz$/, "$1"));
      }
    }
    const own = (path: string): boolean => /^\/(etc|usr\/share\/(doc|lintian))\//.test(path);
    expect(listFiles(at("installed"))).toEqual(packaged.filter((path) => !own(path)).sort());
  });

  it.each([
    "meta-nvoci",
    "meta-nvoci-dunfell",
  ])("builds and installs with only a compiler by the commands of the recipe in %s", (layer) => {
    const text = recipe(layer);
    const directory = at(`work-${layer}`);
    mkdirSync(directory);
    const archive = readdirSync(join(layers, layer, "recipes-containers/nvoci/files"));
    mustRun([
      "tar",
      "-xzf",
      join(layers, layer, "recipes-containers/nvoci/files", archive[0] ?? ""),
      "-C",
      directory,
    ]);
    const unpacked = join(directory, readdirSync(directory)[0] ?? "");
    const values: Record<string, string> = {
      ...OE,
      ...variables(text),
      S: unpacked,
      D: at(`image-${layer}`),
      BPN: "nvoci",
      PN: "nvoci",
    };
    const lines = [
      expand(`oe_runmake() { make -j2 ${values.EXTRA_OEMAKE ?? "unset"} "$@"; }`, values),
      expand(task(text, "do_compile"), values),
      expand(task(text, "do_install"), values),
    ];
    expect(lines.join("\n")).not.toContain("$" + "{");
    shell(lines.join("\n"), unpacked, {
      bindir: OE.bindir,
      datadir: OE.datadir,
      CFLAGS: "-O0 -g",
      LDFLAGS: "",
    });

    const files = listFiles(at(`image-${layer}`));
    expect(files).toContain("/usr/bin/nvoci");
    expect(files).toContain("/etc/docker/daemon.json");
    expect(runCommand([join(at(`image-${layer}`), "usr/bin/nvoci"), "--version"]).status).toBe(0);
    // The program is not stripped: the packager strips it, and warns if it already is.
    expect(mustRun(["readelf", "--sections", join(at(`image-${layer}`), "usr/bin/nvoci")])).toContain(
      ".symtab",
    );

    const claims = (name: string): string[] =>
      expand(new RegExp(`^FILES[:_]\\$\\{PN\\}-${name} = "(.*)"$`, "m").exec(text)?.[1] ?? "", values).split(
        " ",
      );
    const claimed = (name: string): string[] =>
      files.filter((file) => claims(name).some((claim) => isClaimed(file, claim)));
    expect(claimed("docker-config")).toEqual(["/etc/docker/daemon.json"]);
    expect(claimed("compat").length).toBe(4);
    // OpenEmbedded's own patterns for the main package and -doc match the rest.
    const rest = files.filter(
      (file) => !["compat", "docker-config"].some((name) => claimed(name).includes(file)),
    );
    expect(rest.filter((file) => !/^\/usr\/(bin|share\/man|share\/doc)\//.test(file))).toEqual([]);
  });

  it.each([
    "meta-nvoci",
    "meta-nvoci-dunfell",
  ])("has the licenses and the checksum that the recipe in %s names", (layer) => {
    const text = recipe(layer);
    const sums = [...text.matchAll(/file:\/\/(\S+);md5=(\w+)/g)];
    expect(sums).toHaveLength(3);
    for (const [, file = "", sum] of sums) expect(md5(join(source, file))).toBe(sum);
    const [, sha256] = /^SRC_URI\[sha256sum\] = "(\w+)"$/m.exec(text) ?? [];
    const archive = readFileSync(release.file(/^nvoci-[\d.]+tar\.gz$/));
    expect(createHash("sha256").update(archive).digest("hex")).toBe(sha256);
    expect(text).not.toMatch(/@[A-Z]/);
  });

  describe.each(["meta-nvoci", "meta-nvoci-dunfell"])("the class nvoci-container-csv of %s", (layer) => {
    /** Runs the class for a recipe that has installed a tree. Returns the manifest's lines. */
    const generate = (image: string, recipeSays: Record<string, string>): string[] => {
      const program = at("tools-of-classes");
      mkdirSync(program, { recursive: true });
      if (!existsSync(join(program, "nvoci")))
        symlinkSync(release.file(/^nvoci-linux-x86_64$/), join(program, "nvoci"));
      const text = readFileSync(join(layers, layer, "classes/nvoci-container-csv.bbclass"), "utf8");
      const values = { ...OE, D: image, libdir: "/usr/lib", ...variables(text), ...recipeSays };
      const lines = expand(task(text, "nvoci_container_csv"), values);
      expect(lines).not.toContain("$" + "{");
      shell(lines, "/", { PATH: `${program}:${at("tools")}` });
      return readFileSync(join(image, expand("$" + "{CONTAINER_CSV_PATH}", values)), "utf8").split("\n");
    };
    /** Makes files, and links for paths with an arrow. */
    const tree = (name: string, ...paths: string[]): string => {
      const image = at(`${layer}-${name}`);
      for (const path of paths) {
        const [file = "", target] = path.split(" -> ");
        mkdirSync(join(image, dirname(file)), { recursive: true });
        if (target === undefined) writeFileSync(join(image, file), "");
        else symlinkSync(target, join(image, file));
      }
      return image;
    };

    it("lists only the libraries and links of cuDNN and TensorRT", () => {
      const cudnn = tree(
        "cudnn",
        "usr/lib/libcudnn.so.8 -> libcudnn.so.8.2.1",
        "usr/lib/libcudnn.so -> libcudnn.so.8",
        "usr/lib/libcudnn.so.8.2.1",
        "usr/lib/libcudnn_static.a",
        "usr/include/cudnn.h",
      );
      expect(generate(cudnn, { PN: "cudnn" })).toEqual([
        "sym, /usr/lib/libcudnn.so",
        "sym, /usr/lib/libcudnn.so.8",
        "lib, /usr/lib/libcudnn.so.8.2.1",
        "",
      ]);
      const tensorrt = tree("tensorrt", "usr/lib/libnvinfer.so.8", "usr/lib/libv4l2rds.so.0");
      const says = { PN: "tensorrt", CONTAINER_CSV_EXCLUDE_FILES: "libv4l2rds*" };
      expect(generate(tensorrt, { ...says, CONTAINER_CSV_EXTRA: "lib, /a\\nsym, /b" })).toEqual([
        "lib, /usr/lib/libnvinfer.so.8",
        "lib, /a",
        "sym, /b",
        "",
      ]);
    });

    it("lists CUDA's directory as a directory, and a link to it as a link", () => {
      const cuda = tree(
        "cuda",
        "usr/local/cuda-10.2/targets/aarch64-linux/lib/libcudart.so.10.2",
        "usr/local/cuda -> cuda-10.2",
      );
      expect(generate(cuda, { PN: "cuda", CONTAINER_CSV_FILES: "/usr/local/cuda*" })).toEqual([
        "sym, /usr/local/cuda",
        "dir, /usr/local/cuda-10.2",
        "",
      ]);
    });

    it("keeps the manifests that the recipe itself installs, and fails for a pattern without a match", () => {
      const image = tree(
        "own",
        "etc/nvidia-container-runtime/host-files-for-container.d/own.csv",
        "usr/lib/a.so",
      );
      generate(image, { PN: "own-library" });
      expect(readdirSync(join(image, "etc/nvidia-container-runtime/host-files-for-container.d"))).toEqual([
        "own-library.csv",
        "own.csv",
      ]);
      expect(() => generate(image, { PN: "x", CONTAINER_CSV_FILES: "/usr/lib/missing*" })).toThrow("missing");
    });

    it("packages the manifest in the layer's syntax", () => {
      const text = readFileSync(join(layers, layer, "classes/nvoci-container-csv.bbclass"), "utf8");
      const sign = layer === "meta-nvoci" ? ":" : "_";
      for (const line of ["FILES:PKG = ", "RRECOMMENDS:PN:append = "]) {
        const [name, ...overrides] = line.split(":");
        const pattern = [name, ...overrides].join(sign).replace(/PKG|PN/, "\\$\\{\\w+\\}");
        expect(text).toMatch(new RegExp(`^${pattern}`, "m"));
      }
    });
  });

  it("lets an image write the manifest of its installed files", () => {
    const program = at("native-tools");
    mkdirSync(program);
    symlinkSync(release.file(/^nvoci-linux-x86_64$/), join(program, "nvoci"));
    const image = at("image");
    for (const directory of ["usr/lib", "usr/local/cuda-10.2"])
      mkdirSync(join(image, directory), { recursive: true });
    mustRun([
      "touch",
      join(image, "usr/lib/libb.so.1"),
      join(image, "usr/lib/liba.so.1"),
      join(image, "usr/lib/liba.a"),
    ]);
    symlinkSync("cuda-10.2", join(image, "usr/local/cuda"));
    const text = readFileSync(join(layers, "meta-nvoci/classes/nvoci-manifest.bbclass"), "utf8");
    const values = {
      ...OE,
      IMAGE_ROOTFS: image,
      NVOCI_MANIFEST: variables(text).NVOCI_MANIFEST ?? "",
      NVOCI_MANIFEST_PATTERNS: "/usr/lib/lib* /usr/local/*",
      NVOCI_MANIFEST_EXCLUDE: "*.a",
    };
    const generate = (patterns: string) =>
      shell(
        expand(task(text, "nvoci_generate_manifest"), { ...values, NVOCI_MANIFEST_PATTERNS: patterns }),
        "/",
        {
          PATH: `${program}:${at("tools")}`,
        },
      );
    generate(values.NVOCI_MANIFEST_PATTERNS);
    const [file = ""] = listFiles(join(image, "etc"));
    expect(readFileSync(join(image, "etc", file), "utf8").split("\n")).toEqual([
      "lib, /usr/lib/liba.so.1",
      "lib, /usr/lib/libb.so.1",
      "sym, /usr/local/cuda",
      "dir, /usr/local/cuda-10.2",
      "",
    ]);
    expect(() => generate("/usr/lib/libmissing*")).toThrow("libmissing");
  });
});

/** Reports whether a pattern of FILES matches a file or a directory above it. */
const isClaimed = (file: string, claim: string): boolean =>
  file.startsWith(`${claim}/`) ||
  (dirname(file) === dirname(claim) && matchGlob(basename(claim), basename(file)));

const md5 = (path: string): string => createHash("md5").update(readFileSync(path)).digest("hex");
