import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root as repository } from "../../build/root.ts";
import { type CommandResult, mustRun, runCommand } from "../../fixtures/run/run-command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { packageCopy, type Release } from "../support/build/release.ts";
import { describeNeeding } from "../support/engines/prerequisites.ts";

const CONFIG = "etc/nvidia-container-runtime/config.toml";
const ADMIN = "[nvoci]\nldconfig = false\n";
const PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

describeNeeding(["make", "an arm64 compiler", "rpm", "root"], "the RPM packages", () => {
  let made: TemporaryDirectory;
  let release: Release;
  const at = (name: string): string => join(made.path, name);
  beforeAll(() => {
    made = temporaryDirectory("rpm");
    release = packageCopy(at("release"));
  });
  afterAll(() => made?.remove());

  const files = (): string[] => release.files.filter((file) => file.endsWith(".rpm"));
  const program = (arch = "x86_64"): string => release.file(new RegExp(`^nvoci-[\\d.]+-1\\.${arch}\\.rpm$`));
  const compat = (): string => release.file(/^nvoci-compat-.*\.noarch\.rpm$/);
  const query = (file: string, ...words: string[]): string[] =>
    mustRun(["rpm", "--query", "--package", file, ...words])
      .trim()
      .split("\n");

  /** Builds packages from a spec that needs no source, or from a source archive. */
  function build(name: string, source: string, ...words: string[]): string {
    const topdir = at(`build-${name}`);
    mkdirSync(topdir);
    const define = (macro: string) => ["--define", macro];
    const how = source.endsWith(".spec") ? "-bb" : "-tb";
    mustRun(["rpmbuild", how, source, "--nodeps", ...define(`_topdir ${topdir}`), ...words.flatMap(define)], {
      env: { PATH, HOME: made.path },
      timeout: 240_000,
    });
    return topdir;
  }
  const built = (topdir: string): string[] =>
    readdirSync(join(topdir, "RPMS"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".rpm"))
      .map((name) => join(topdir, "RPMS", name));

  /** Builds a foreign package with empty files. */
  function fakePackage(
    name: string,
    version: string,
    lines: readonly string[],
    paths: readonly string[] = [],
  ): string {
    const spec = at(`${name}.spec`);
    const text = [
      ...[
        `Name: ${name}`,
        `Version: ${version}`,
        "Release: 1",
        "Summary: x",
        "License: x",
        "BuildArch: noarch",
      ],
      ...[
        "%description",
        "x",
        "%install",
        ...paths.map((path) => `install -D /dev/null %{buildroot}${path}`),
      ],
      ...["%files", ...paths],
    ];
    text.splice(6, 0, ...lines.filter((line) => !line.startsWith("%")));
    text.push(...lines.filter((line) => line.startsWith("%")));
    writeFileSync(spec, `${text.join("\n")}\n`);
    return built(build(name, spec))[0] ?? "";
  }

  /** An empty directory as a system's root: no shell and no other package. */
  function emptyRoot(name: string) {
    const path = at(name);
    mkdirSync(path);
    const rpm = (...words: string[]): CommandResult => runCommand(["rpm", "--root", path, ...words]);
    const list = (): string[] =>
      readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name).slice(path.length))
        .filter((file) => !file.includes("/.rpmdb/"))
        .sort();
    return { path, rpm, list, at: (file: string) => join(path, file) };
  }

  it("are one for each program and one for both", () => {
    const version = query(program(), "--queryformat", "%{VERSION}");
    expect(files()).toEqual([
      `nvoci-${version}-1.aarch64.rpm`,
      `nvoci-${version}-1.x86_64.rpm`,
      `nvoci-compat-${version}-1.noarch.rpm`,
    ]);
    for (const file of files()) {
      const [name] = query(join(release.path, file), "--queryformat", "%{NVRA}.rpm");
      expect(name).toBe(file);
    }
  });

  it.each(["x86_64", "aarch64"])("have the release's program for %s", (arch) => {
    const content = at(`content-${arch}`);
    mkdirSync(content);
    mustRun(["bsdtar", "-xf", program(arch), "-C", content]);
    const own = readFileSync(release.file(new RegExp(`^nvoci-linux-${arch}$`)));
    expect(readFileSync(join(content, "usr/bin/nvoci")).equals(own)).toBe(true);
  });

  it("pass rpmlint", () => {
    const config = join(repository, "packaging/rpm/rpmlint.toml");
    const { stdout } = runCommand(["rpmlint", "--config", config, ...files()], { cwd: release.path });
    expect(stdout).toMatch(/3 packages and 0 specfiles checked; 0 errors, 0 warnings/);
  });

  it("provide what the toolkit's packages provide, in versions that their dependents accept", () => {
    const provides = query(compat(), "--provides");
    for (const name of [
      "nvidia-container-runtime",
      "nvidia-container-runtime-hook",
      "nvidia-container-toolkit",
    ])
      expect(provides.join("\n")).toMatch(new RegExp(`^${name} = \\d[\\d.]+-1$`, "m"));
    expect(query(compat(), "--obsoletes")).toEqual([
      "nvidia-container-runtime <= 3.5.0-1",
      "nvidia-container-runtime-hook <= 1.4.0-2",
    ]);
    expect(query(compat(), "--conflicts")).toEqual([
      "nvidia-container-toolkit",
      "nvidia-container-toolkit-base",
    ]);
    expect(query(compat(), "--configfiles")).toEqual([`/${CONFIG}`]);
    expect(query(program(), "--configfiles").filter(Boolean)).toEqual([]);
  });

  it("run nothing but what puts two links back", () => {
    expect(query(program(), "--scripts").filter(Boolean)).toEqual([]);
    const scripts = query(compat(), "--scripts").join("\n");
    expect(scripts.match(/scriptlet|trigger/g)).toEqual(["scriptlet"]);
    expect(scripts).toContain("posttrans scriptlet (using <lua>)");
    expect(scripts).not.toMatch(/daemon|configure|os\.|execute/);
  });

  describe("in an empty root", () => {
    it("are installed, verified and removed, and leave docker's configuration alone", () => {
      const system = emptyRoot("empty");
      mkdirSync(system.at("etc/docker"), { recursive: true });
      writeFileSync(system.at("etc/docker/daemon.json"), "{}\n");
      expect(system.rpm("--install", program(), compat()).status).toBe(0);
      const call = (...words: string[]) => runCommand(["chroot", system.path, ...words]).stdout;
      expect(call("/usr/bin/nvoci", "--version")).toMatch(/^nvoci \d/);
      expect(call("/usr/bin/nvidia-container-runtime-hook", "-version")).toContain("nvoci");
      expect(system.rpm("--verify", "nvoci", "nvoci-compat")).toMatchObject({ status: 0, stdout: "" });
      expect(system.list()).toContain(`/${CONFIG}`);
      expect(system.rpm("--erase", "nvoci-compat", "nvoci").status).toBe(0);
      expect(system.list()).toEqual(["/etc/docker/daemon.json"]);
      expect(existsSync(system.at(dirname(CONFIG)))).toBe(false);
      expect(readFileSync(system.at("etc/docker/daemon.json"), "utf8")).toBe("{}\n");
    });

    it("keep the administrator's config.toml through an upgrade and a removal", () => {
      const system = emptyRoot("upgraded");
      mkdirSync(dirname(system.at(CONFIG)), { recursive: true });
      writeFileSync(system.at(CONFIG), ADMIN);
      expect(system.rpm("--install", program(), compat()).status).toBe(0);
      expect(readFileSync(system.at(CONFIG), "utf8")).toBe(ADMIN);
      expect(existsSync(system.at(`${CONFIG}.rpmnew`))).toBe(true);
      expect(system.rpm("--upgrade", ...nextRelease()).status).toBe(0);
      expect(system.rpm("--query", "nvoci").stdout).toContain("nvoci-9.0.0-1");
      expect(readFileSync(system.at(CONFIG), "utf8")).toBe(ADMIN);
      expect(system.rpm("--erase", "nvoci-compat").status).toBe(0);
      expect(readFileSync(system.at(`${CONFIG}.rpmsave`), "utf8")).toBe(ADMIN);
    });

    it("replace the toolkit only on request, and then keep what depends on it", () => {
      const system = emptyRoot("toolkit");
      const names = ["/usr/bin/nvidia-container-runtime", "/usr/bin/nvidia-container-runtime-hook"];
      const toolkit = fakePackage("nvidia-container-toolkit", "1.17.8", [], names);
      const docker2 = fakePackage("nvidia-docker2", "2.14.0", [
        "Requires: nvidia-container-toolkit >= 1.10.0-1",
      ]);
      expect(system.rpm("--install", toolkit, docker2).status).toBe(0);
      const refused = system.rpm("--upgrade", program(), compat());
      expect(refused.status).not.toBe(0);
      expect(refused.stderr).toContain("conflicts with nvoci-compat");
      // rpm(8) cannot exchange packages in one transaction, as dnf swap does.
      expect(system.rpm("--erase", "--nodeps", "nvidia-container-toolkit").status).toBe(0);
      expect(system.rpm("--install", program(), compat()).status).toBe(0);
      expect(system.rpm("--query", "nvidia-docker2").status).toBe(0);
      expect(system.rpm("--verify", "nvidia-docker2").stdout).toBe("");
    });

    it("keep the links that the scripts of the package they replace remove", () => {
      const system = emptyRoot("obsolete");
      const path = "/usr/bin/nvidia-container-runtime-hook";
      const removal = `%postun -p <lua>\nos.remove("${path}")`;
      const hook = fakePackage("nvidia-container-runtime-hook", "1.4.0", [removal], [path]);
      expect(system.rpm("--install", hook).status).toBe(0);
      expect(system.rpm("--upgrade", program(), compat()).status).toBe(0);
      expect(system.rpm("--query", "nvidia-container-runtime-hook").status).not.toBe(0);
      expect(runCommand(["chroot", system.path, path, "-version"]).stdout).toContain("nvoci");
    });
  });

  describe("built from the source archive by its own spec", () => {
    it("have the same files, and a program that runs", () => {
      const [first = "", ...others] = built(
        build("source", release.file(/^nvoci-[\d.]+\.tar\.gz$/), "optflags -O0"),
      ).filter((file) => !file.includes("compat"));
      expect(others).toEqual([]);
      // Debian's rpmbuild leaves manual pages as they are.
      const names = (file: string) => query(file, "--list").map((name) => name.replace(/\.gz$/, ""));
      expect(names(first)).toEqual(names(program()));
      const system = emptyRoot("from-source");
      expect(system.rpm("--install", first).status).toBe(0);
      expect(runCommand(["chroot", system.path, "/usr/bin/nvoci", "--version"]).stdout).toMatch(/^nvoci \d/);
    });
  });

  describeNeeding(["an SELinux policy"], "with SELinux", () => {
    const CONTEXTS = "/etc/selinux/default/contexts/files/file_contexts";
    const TYPES: Readonly<Record<string, string>> = {
      "/usr/bin": "bin_t",
      "/usr/share/man": "man_t",
      "/usr/share": "usr_t",
      "/etc": "etc_t",
    };

    it("get types from the policy that container runtimes may read and execute", () => {
      const paths = [...query(program(), "--list"), ...query(compat(), "--list")];
      const typeOf = (path: string) =>
        /:(\w+):s0/.exec(mustRun(["matchpathcon", "-f", CONTEXTS, path]))?.[1] ?? "none";
      const expected = (path: string) =>
        Object.entries(TYPES).find(([directory]) => path.startsWith(`${directory}/`))?.[1];
      expect(paths.length).toBeGreaterThan(20);
      expect(paths.filter((path) => typeOf(path) !== expected(path))).toEqual([]);
    });
  });

  /** Builds the packages of a later release, with another config.toml. */
  function nextRelease(): string[] {
    const source = release.file(/^nvoci-[\d.]+\.tar\.gz$/);
    const tree = at("next");
    mkdirSync(tree);
    mustRun(["tar", "-xzf", source, "-C", tree]);
    const [name = ""] = readdirSync(tree);
    const spec = join(tree, name, "nvoci.spec");
    writeFileSync(spec, readFileSync(spec, "utf8").replace(/^Version:.*/m, "Version: 9.0.0"));
    writeFileSync(join(tree, name, "packaging/config.toml"), "# new\n");
    const archive = at(basename(source));
    mustRun(["tar", "-czf", archive, "-C", tree, name]);
    return built(build("next", archive, `nvoci_program ${release.file(/^nvoci-linux-x86_64$/)}`));
  }
});
