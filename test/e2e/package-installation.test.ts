import { existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../build/root.ts";
import { makeRootfs } from "../../fixtures/rootfs.ts";
import { openNamespace, type PrivateNamespace } from "../../fixtures/run/private-namespace.ts";
import { type CommandResult, mustRun } from "../../fixtures/run/run-command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { packageCopy, type Release } from "../support/build/release.ts";
import { type Docker, startDocker } from "../support/engines/docker.ts";
import { CONTAINER, describeNeeding } from "../support/engines/prerequisites.ts";
import { describeCommand, describeHost, type Jetson, openJetson } from "../support/host/jetson.ts";
import { copyOfThisSystem, oldDpkg, oldSystem } from "../support/image/debian-roots.ts";

const DAEMON = "/etc/docker/daemon.json";
const CONFIG = "/etc/nvidia-container-runtime/config.toml";
const OTHERS = '{\n  "log-driver": "journald",\n  "runtimes": {"other": {"path": "x"}}\n}\n';
// A placeholder of dpkg, not of JavaScript.
const STATUS = `\${db:Status-Status}`;
const CONFFILES = `\${Conffiles}`;
const OWN_CONFIG = readFileSync(join(root, "packaging/config.toml"), "utf8");

const SYSTEMS = [
  ["this Debian", (root: string, layer: string) => copyOfThisSystem(root, layer), undefined],
  ["a system like Ubuntu 18.04", (root: string) => oldSystem(root), undefined],
  ["such a system with dpkg 1.20", (root: string) => oldSystem(root, oldDpkg()), "an old dpkg"],
] as const;
const FACTS = {
  "this Debian": { dpkg: "dpkg", merged: lstatSync("/lib").isSymbolicLink() },
  "a system like Ubuntu 18.04": { dpkg: "dpkg", merged: false },
  "such a system with dpkg 1.20": { dpkg: "version 1.20.13 ", merged: false },
};

describeNeeding(
  ["make", "dpkg", "an arm64 compiler", "root", "namespaces", "overlayfs"],
  "the Debian packages",
  () => {
    let made: TemporaryDirectory;
    let release: Release;
    const at = (name: string): string => join(made.path, name);
    beforeAll(() => {
      made = temporaryDirectory("installation");
      release = packageCopy(at("release"));
    });
    afterAll(() => made?.remove());
    const program = (): string => release.file(/^nvoci_.*_amd64\.deb$/);
    const compat = (): string => release.file(/^nvoci-compat_.*_all\.deb$/);

    for (const [index, [title, lay, needs]] of SYSTEMS.entries()) {
      describeNeeding(needs === undefined ? [] : [needs], `on ${title}`, () =>
        installations(`root-${index}`, lay, FACTS[title]),
      );
    }

    function installations(
      name: string,
      lay: (root: string, layer: string) => string[],
      facts: { dpkg: string; merged: boolean },
    ): void {
      let place: PrivateNamespace;
      const root = (): string => at(`${name}/merged`);
      const run = (...argv: string[]): CommandResult => place.run(["chroot", root(), ...argv]);
      const dpkg = (...words: string[]): CommandResult => run("dpkg", ...words);
      const read = (path: string): string => run("cat", path).stdout;
      const write = (path: string, text: string): CommandResult =>
        place.run(["sh", "-c", 'mkdir -p "$1" && cat >"$2"', "sh", root() + dirname(path), root() + path], {
          input: text,
        });
      const readDaemon = (): string => read(DAEMON);
      const writeDaemon = (text: string) => write(DAEMON, text);
      const install = (...files: string[]): CommandResult => {
        place.run(["cp", ...files, `${root()}/tmp`]);
        return dpkg("--install", ...files.map((file) => `/tmp/${basename(file)}`));
      };

      beforeAll(async () => {
        mkdirSync(at(name));
        place = await openNamespace(lay(root(), at(`${name}/layer`)));
      });
      afterAll(() => place?.close());

      it("is the expected system", () => {
        expect(dpkg("--version").stdout).toContain(facts.dpkg);
        expect(run("readlink", "/lib").status === 0).toBe(facts.merged);
      });

      it("gets the program from nvoci, which leaves docker's configuration alone", () => {
        writeDaemon(OTHERS);
        expect(install(program())).toMatchObject({ status: 0 });
        expect(run("nvoci", "--version").stdout).toMatch(/^nvoci \d/);
        expect(run("nvoci-hook", "-version").status).toBe(0);
        expect(readDaemon()).toBe(OTHERS);
      });

      it("gets the runtime registered by nvoci-compat, next to existing runtimes", () => {
        expect(install(compat())).toMatchObject({ status: 0 });
        expect(JSON.parse(readDaemon())).toEqual({
          "log-driver": "journald",
          runtimes: { other: { path: "x" }, nvidia: { path: "/usr/bin/nvidia-container-runtime" } },
        });
        expect(run("nvidia-container-runtime-hook", "-version").status).toBe(0);
      });

      it("keeps the administrator's daemon.json through an upgrade", () => {
        const changed = '{"runtimes": {"nvidia": {"path": "/opt/mine"}}}';
        const before = readDaemon();
        writeDaemon(changed);
        expect(install(program(), compat())).toMatchObject({ status: 0 });
        expect(readDaemon()).toBe(changed);
        writeDaemon(before);
      });

      it("gets its own daemon.json back after the removal", () => {
        expect(dpkg("--remove", "nvoci-compat")).toMatchObject({ status: 0 });
        expect(readDaemon()).toBe(OTHERS);
        expect(run("nvidia-container-runtime", "--version").status).not.toBe(0);
      });

      it("gets no daemon.json without docker", () => {
        run("rm", "-r", "/etc/docker");
        const lines =
          "for name in dockerd docker; do rm -f /usr/bin/$name /usr/sbin/$name /usr/local/bin/$name; done";
        run("sh", "-c", lines);
        expect(install(compat())).toMatchObject({ status: 0 });
        expect(run("ls", "/etc/docker").status).not.toBe(0);
        expect(dpkg("--remove", "nvoci-compat").status).toBe(0);
      });

      it("keeps a daemon.json that is not JSON, and installs the package", () => {
        writeDaemon("{oops\n");
        const { status, stderr } = install(compat());
        expect(status).toBe(0);
        expect(stderr).toContain(DAEMON);
        expect(stderr).toContain("nvoci configure docker");
        expect(readDaemon()).toBe("{oops\n");
        expect(dpkg("--remove", "nvoci-compat").status).toBe(0);
        expect(readDaemon()).toBe("{oops\n");
      });

      it("registers no runtime with docker with REGISTER=no in /etc/default/nvoci", () => {
        writeDaemon(OTHERS);
        write("/etc/default/nvoci", "REGISTER=no\n");
        expect(install(compat()).status).toBe(0);
        expect(readDaemon()).toBe(OTHERS);
        expect(dpkg("--remove", "nvoci-compat").status).toBe(0);
        expect(readDaemon()).toBe(OTHERS);
        run("rm", "/etc/default/nvoci");
      });

      it.each([
        ["DPKG_ROOT", /^nvoci-compat_.*\.deb$/],
        ["D", /^nvoci-compat_.*\.ipk$/],
      ])("is left alone when $%s names the root of an image being built, which is changed", (variable, file) => {
        const scripts = at(`${name}-scripts-${variable}`);
        mustRun(["dpkg-deb", "--control", release.file(file), scripts]);
        const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", [variable]: "/tmp/image" };
        const call = (script: string, ...words: string[]) =>
          expect(
            place.run(["chroot", root(), "/bin/sh", "-s", ...words], {
              input: readFileSync(join(scripts, script), "utf8"),
              env,
            }),
          ).toEqual({ status: 0, stdout: "", stderr: "" });
        writeDaemon(OTHERS);
        write(`/tmp/image${CONFIG}`, "#\n");
        call("preinst", "install");
        expect(read(`/tmp/image${CONFIG}`)).toBe(OWN_CONFIG);
        call("postinst", "configure", "");
        expect(readDaemon()).toBe(OTHERS);
        expect(read(`/tmp/image${CONFIG}`)).toBe("#\n");
        expect(run("find", "/tmp/image", "-type", "f").stdout).toBe(`/tmp/image${CONFIG}\n`);
        expect(run("ls", "/var/lib/nvoci-compat").status).not.toBe(0);
      });

      it("lets nvoci-compat replace NVIDIA's toolkit, and keeps packages that depend on the toolkit", () => {
        // As NVIDIA's postinst and postrm do.
        const link = "/usr/bin/nvidia-container-toolkit";
        const toolkit = fakePackage(
          "nvidia-container-toolkit",
          "1.11.0-1",
          { Architecture: "all" },
          ["usr/bin/nvidia-container-runtime", "usr/bin/nvidia-container-runtime-hook"],
          {},
          {
            postinst: `[ -e ${link} ] || ln -s nvidia-container-runtime-hook ${link}`,
            postrm: `[ "$1" != purge ] || [ ! -L ${link} ] || rm ${link}`,
          },
        );
        const fields = { Architecture: "all", Depends: "nvidia-container-toolkit (>= 1.10.0-1)" };
        const docker2 = fakePackage("nvidia-docker2", "2.11.0-1", fields, ["usr/bin/nvidia-docker"]);
        expect(install(toolkit, docker2).status).toBe(0);
        // nvoci alone can be installed next to it.
        expect(install(program()).status).toBe(0);
        expect(run("readlink", "/usr/bin/nvidia-container-runtime").status).toBe(1);
        write(
          "/tmp/daemon.json",
          '{"runtimes": {"nvidia": {"path": "nvidia-container-runtime", "runtimeArgs": []}}}',
        );
        const register = ["--config", "/tmp/daemon.json", "--runtime-path", "/usr/bin/nvoci-runtime"];
        expect(run("nvoci", "configure", "docker", ...register).status).toBe(0);
        expect(JSON.parse(read("/tmp/daemon.json")).runtimes.nvidia.path).toBe("/usr/bin/nvoci-runtime");
        expect(install(compat())).toMatchObject({ status: 0 });
        expect(run("readlink", "/usr/bin/nvidia-container-runtime").stdout).toBe("nvoci\n");
        const state = (name: string) => run("dpkg-query", "--show", "--showformat", STATUS, name).stdout;
        expect([state("nvidia-docker2"), state("nvidia-container-toolkit")]).toEqual([
          "installed",
          "config-files",
        ]);
        expect(dpkg("--purge", "nvidia-docker2", "nvidia-container-toolkit").status).toBe(0);
        expect(dpkg("--verify", "nvoci-compat").stdout).toBe("");
        expect(run(link, "-version")).toEqual(run("nvidia-container-runtime-hook", "-version"));
      });

      it("keeps nothing of nvoci after the purge", () => {
        expect(dpkg("--purge", "nvoci-compat", "nvoci").status).toBe(0);
        const found = run(
          "sh",
          "-c",
          "find /etc /usr /var -xdev -name '*nvoci*' -o -xdev -name '*nvidia-container*'",
        ).stdout;
        expect(found).toBe("");
        expect(readDaemon()).toBe(OTHERS);
      });

      describe("config.toml", () => {
        const ADMIN = "[nvoci]\nldconfig = false\n";
        const purge = () => expect(dpkg("--purge", "nvoci-compat", "nvoci").status).toBe(0);
        const files = (): string[] =>
          run("ls", "-A", "/etc/nvidia-container-runtime").stdout.split("\n").filter(Boolean);

        it("is the only conffile, belongs to nvoci-compat, and has the packaged content", () => {
          expect(install(program(), compat())).toMatchObject({ status: 0 });
          const list = (name: string) => run("dpkg-query", "--show", "--showformat", CONFFILES, name).stdout;
          expect(list("nvoci").trim()).toBe("");
          expect(list("nvoci-compat").trim()).toMatch(
            /^\/etc\/nvidia-container-runtime\/config\.toml \w{32}$/,
          );
          expect(read(CONFIG)).toBe(OWN_CONFIG);
        });

        it("keeps the administrator's changes through an upgrade and a removal", () => {
          write(CONFIG, ADMIN);
          expect(install(nextRelease(program()), nextRelease(compat()))).toMatchObject({ status: 0 });
          expect(read(CONFIG)).toBe(ADMIN);
          expect(run("nvoci", "config", "show").stdout).toMatch(/"ldconfig": false/);
          expect(dpkg("--remove", "nvoci-compat").status).toBe(0);
          expect(read(CONFIG)).toBe(ADMIN);
          expect(install(nextRelease(compat()))).toMatchObject({ status: 0 });
          expect(read(CONFIG)).toBe(ADMIN);
          purge();
          expect(run("ls", "/etc/nvidia-container-runtime").status).not.toBe(0);
        });

        it("is replaced by an upgrade with a new one if it is unchanged", () => {
          expect(install(program(), compat())).toMatchObject({ status: 0 });
          expect(install(nextRelease(program()), nextRelease(compat(), "# new\n"))).toMatchObject({
            status: 0,
          });
          expect(read(CONFIG)).toBe("# new\n");
          purge();
        });

        it("keeps an existing file without a prompt", () => {
          write(CONFIG, ADMIN);
          expect(install(program(), compat())).toMatchObject({ status: 0 });
          expect([read(CONFIG), files()]).toEqual([ADMIN, ["config.toml"]]);
          purge();
          expect(run("ls", "/etc/nvidia-container-runtime").status).not.toBe(0);
        });

        it.each([
          ["as it was installed", undefined],
          ["changed", ADMIN],
        ])("of NVIDIA's toolkit is adopted %s, and the toolkit's purge keeps it", (_, changed) => {
          const theirs = "[nvidia-container-cli]\nload-kmods = true\n";
          const toolkit = fakePackage("nvidia-container-toolkit", "1.7.0-1", { Architecture: "all" }, [], {
            [CONFIG]: theirs,
          });
          expect(install(toolkit).status).toBe(0);
          if (changed !== undefined) write(CONFIG, changed);
          expect(install(program(), compat())).toMatchObject({ status: 0 });
          expect([read(CONFIG), files()]).toEqual([changed ?? theirs, ["config.toml"]]);
          expect(dpkg("--purge", "nvidia-container-toolkit").status).toBe(0);
          expect(read(CONFIG)).toBe(changed ?? theirs);
          purge();
        });

        it("is restored when the installation fails", () => {
          write(CONFIG, ADMIN);
          write("/usr/bin/nvidia-container-runtime", "somebody else's");
          const other = fakePackage("other", "1-1", { Architecture: "all" }, [
            "usr/bin/nvidia-container-runtime",
          ]);
          expect(install(other).status).toBe(0);
          expect(install(program(), compat()).status).not.toBe(0);
          expect([read(CONFIG), files()]).toEqual([ADMIN, ["config.toml"]]);
          expect(dpkg("--purge", "other").status).toBe(0);
          run("rm", "-r", "/etc/nvidia-container-runtime");
          dpkg("--purge", "nvoci-compat", "nvoci");
        });
      });
    }

    /** Builds the package as a later release, optionally with another config.toml. */
    function nextRelease(file: string, config?: string): string {
      const tree = at(`next-${basename(file)}-${config === undefined ? "same" : "new"}`);
      const made = `${tree}.deb`;
      if (existsSync(made)) return made;
      mustRun(["dpkg-deb", "--raw-extract", file, tree]);
      const control = readFileSync(join(tree, "DEBIAN/control"), "utf8");
      writeFileSync(join(tree, "DEBIAN/control"), control.replaceAll(/0\.1\.0-1/g, "9.0.0-1"));
      if (config !== undefined) writeFileSync(join(tree, CONFIG), config);
      mustRun(["dpkg-deb", "-Zgzip", "--build", "--root-owner-group", tree, made]);
      return made;
    }

    /** Builds a foreign package with empty files, and conffiles. */
    function fakePackage(
      name: string,
      version: string,
      fields: Record<string, string>,
      files: readonly string[] = [],
      conffiles: Readonly<Record<string, string>> = {},
      scripts: Readonly<Record<string, string>> = {},
    ): string {
      const tree = at(`fake-${name}-${version}`);
      if (existsSync(`${tree}.deb`)) return `${tree}.deb`;
      const all = {
        Package: name,
        Version: version,
        Maintainer: "x <x@example.com>",
        Description: "x",
        ...fields,
      };
      for (const directory of ["DEBIAN", "usr/bin"]) mkdirSync(join(tree, directory), { recursive: true });
      const lines = Object.entries(all).map(([key, value]) => `${key}: ${value}\n`);
      writeFileSync(join(tree, "DEBIAN/control"), lines.join(""));
      for (const [script, text] of Object.entries(scripts))
        writeFileSync(join(tree, "DEBIAN", script), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      for (const file of files) writeFileSync(join(tree, file), "#!/bin/sh\n", { mode: 0o755 });
      for (const [path, content] of Object.entries(conffiles)) {
        mkdirSync(join(tree, dirname(path)), { recursive: true });
        writeFileSync(join(tree, path), content);
        writeFileSync(join(tree, "DEBIAN/conffiles"), `${path}\n`, { flag: "a" });
      }
      mustRun(["dpkg-deb", "-Zgzip", "--build", "--root-owner-group", tree, `${tree}.deb`]);
      return `${tree}.deb`;
    }

    describeNeeding([...CONTAINER, "cgroup v1", "dockerd"], "on a Jetson with docker", () => {
      let jetson: Jetson;
      let engine: Docker;
      beforeAll(async () => {
        // An entry in /var makes the namespace have its own /var, and so its own dpkg database.
        jetson = await openJetson({ more: [{ kind: "directory", path: "/var/lib/nvoci-test" }] });
        const { run } = jetson.place;
        run(["rm", "-rf", "/etc/docker", CONFIG]);
        expect(run(["dpkg", "--install", program(), compat()])).toMatchObject({ status: 0 });
        engine = await startDocker(jetson.place, { configFile: DAEMON });
        mkdirSync(at("image"));
        makeRootfs(at("image"), "debian");
        engine.importImage("image", at("image"));
      });
      afterAll(async () => {
        await engine?.close();
        jetson?.close();
      });

      it("register the runtime, and keep the default one", () => {
        expect(JSON.parse(jetson.place.run(["cat", DAEMON]).stdout)).toEqual({
          runtimes: { nvidia: { path: "/usr/bin/nvidia-container-runtime" } },
        });
        const { stdout } = engine.docker("info", "--format", "{{.DefaultRuntime}} {{json .Runtimes}}");
        expect(stdout).toMatch(/^runc .*"nvidia"/);
      });

      it.each([
        ["--runtime=nvidia", ["--runtime=nvidia", "--env=NVIDIA_VISIBLE_DEVICES=all"]],
        ["--gpus", ["--gpus=all"]],
      ])("inject the host's files and devices with %s", (_, options) => {
        expect(engine.run("image", describeCommand(jetson), options)).toEqual(describeHost(jetson));
        const { stderr } = engine.run("image", ["cat", "/dev/nvmap"], options);
        expect(stderr).toContain("No such device or address");
      });

      it("unregister the runtime when they are removed", () => {
        expect(jetson.place.run(["dpkg", "--remove", "nvoci-compat"]).status).toBe(0);
        expect(jetson.place.run(["ls", DAEMON]).status).not.toBe(0);
        const { status, stderr } = engine.run("image", ["true"], ["--runtime=nvidia"]);
        expect(status).not.toBe(0);
        expect(stderr).toContain("nvidia-container-runtime");
      });
    });
  },
);
