import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { root } from "../../build/root.ts";
import { mustRun, runCommand } from "../../fixtures/run/run-command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { packageCopy, type Release } from "../support/build/release.ts";
import { describeNeeding } from "../support/engines/prerequisites.ts";
import { readAr, readTarGz } from "../support/image/archives.ts";

/** Tools that a C compiler and make need. Node.js is not among them. */
const TOOLS = ["ar", "as", "cc", "chmod", "dirname", "install", "ld", "ln", "make", "mkdir", "rm", "sh"];

describeNeeding(["make", "dpkg", "an arm64 compiler"], "the source archive", () => {
  let made: TemporaryDirectory;
  let release: Release;
  let source: string;
  const at = (name: string): string => join(made.path, name);

  beforeAll(() => {
    made = temporaryDirectory("source");
    release = packageCopy(at("release"));
    for (const name of ["tools", "unpacked"]) mkdirSync(at(name));
    mustRun(["tar", "-xzf", release.file(/^nvoci-[\d.]+tar\.gz$/), "-C", at("unpacked")]);
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

  it("unpacks to one directory with the release's name", () => {
    const { version } = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
    expect(readdirSync(at("unpacked"))).toEqual([`nvoci-${version}`]);
    for (const file of ["LICENSE", "quickjs/LICENSE", "src/main.ts", "build/build.ts", "package-lock.json"]) {
      expect([file, existsSync(join(source, file))]).toEqual([file, true]);
    }
  });

  it("makes itself again, byte for byte, also below the repository of something else", () => {
    const git = (...words: string[]) =>
      mustRun(["git", "-C", at("unpacked"), "-c", "user.name=x", "-c", "user.email=x@example.com", ...words]);
    git("init", "-q");
    git("commit", "-q", "--allow-empty", "-m", "x");
    for (const shared of ["node_modules", ".cache"]) symlinkSync(join(root, shared), join(source, shared));
    const packaging = [join(source, "build/run-typescript.mjs"), join(source, "build/package.ts")];
    mustRun([process.execPath, ...packaging, "--layers-only", "--out", at("again")], {
      env: { PATH: process.env.PATH ?? "" },
      timeout: 240_000,
    });
    for (const shared of ["node_modules", ".cache"]) unlinkSync(join(source, shared));
    const archive = release.file(/^nvoci-[\d.]+tar\.gz$/);
    const again = join(at("again"), "packages/meta-nvoci/recipes-containers/nvoci/files", basename(archive));
    expect(readFileSync(again).equals(readFileSync(archive))).toBe(true);
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

  it("builds a position-independent program, static and dynamic", () => {
    const kind = (linking: string): string => {
      shell(`make clean; make -j2 PIE=1 CFLAGS=-O0 ${linking}`, source);
      expect(runCommand([join(source, "nvoci"), "--version"]).status).toBe(0);
      const headers = mustRun(["readelf", "--file-header", "--program-headers", join(source, "nvoci")]);
      return `${/Type: +(\w+)/.exec(headers)?.[1]} ${headers.includes("INTERP") ? "dynamic" : "static"}`;
    };
    expect([kind(""), kind("LINKING=")]).toEqual(["DYN static", "DYN dynamic"]);
    shell("make clean", source);
  });

  it("has only scripts of npm that work in it, and a bill of materials", () => {
    const { scripts } = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
    expect(Object.keys(scripts)).toEqual(["build", "package"]);
    for (const command of Object.values<string>(scripts)) {
      for (const file of command.split(" ").slice(1)) expect(existsSync(join(source, file))).toBe(true);
    }
    expect(readFileSync(join(source, "nvoci.cdx.json"))).toEqual(readFileSync(release.file(/cdx\.json$/)));
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
});
