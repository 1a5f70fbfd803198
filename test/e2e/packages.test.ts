import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readAr, readTarGz } from "../support/archives.ts";
import { REPOSITORY } from "../support/build-tool.ts";
import { hookEntry } from "../support/builds.ts";
import { makeBundle } from "../support/bundle.ts";
import { runContainer } from "../support/container.ts";
import { describeCommand, describeHost, type Jetson, openJetson } from "../support/jetson.ts";
import { CONTAINER, describeNeeding } from "../support/prerequisites.ts";
import { openNamespace, type PrivateNamespace } from "../support/private-namespace.ts";
import { packageCopy, type Release } from "../support/release.ts";
import { type CommandResult, mustRun, runCommand } from "../support/run-command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../support/temporary-directory.ts";

describeNeeding(["make", "dpkg", "an arm64 compiler"], "npm run package", () => {
  let made: TemporaryDirectory;
  let release: Release;
  const at = (name: string): string => join(made.path, name);
  beforeAll(() => {
    made = temporaryDirectory("packages");
    release = packageCopy(at("one"));
  });
  afterAll(() => made?.remove());

  test("makes the same bytes in another directory", () => {
    const other = packageCopy(at("another, with blanks"));
    const sums = (directory: string) => readFileSync(join(directory, "SHA256SUMS"), "utf8");
    expect(sums(other.path)).toBe(sums(release.path));
  });

  test("lists every artefact in SHA256SUMS, as it is", () => {
    const lines = release.files
      .filter((file) => file !== "SHA256SUMS")
      .map((file) => `${sha256(join(release.path, file))}  ${file}\n`);
    expect(lines.length).toBeGreaterThan(8);
    expect(readFileSync(release.file(/SHA256SUMS/), "utf8")).toBe(lines.join(""));
  });

  test("leaves no path of the build machine in a program or the source archive's C", async () => {
    for (const arch of ["x86_64", "aarch64"]) {
      const program = readFileSync(release.file(new RegExp(`^nvoci-linux-${arch}$`)), "latin1");
      expect(program).not.toContain(made.path);
      expect(program).not.toContain(REPOSITORY);
    }
    const entries = await readTarGz(readFileSync(release.file(/^nvoci-[\d.]+tar\.gz$/)));
    const generated = entries.filter(({ header }) => header.name.includes("/generated/"));
    expect(generated.length).toBeGreaterThan(1);
    for (const { content } of generated) expect(content.includes(made.path)).toBe(false);
  });

  test("names everything that is in the bundles in the bill of materials and in the copyright file", () => {
    const { components } = JSON.parse(readFileSync(release.file(/\.cdx\.json$/), "utf8"));
    const names: string[] = components.map(({ name }: { name: string }) => name);
    expect(names).toEqual(
      expect.arrayContaining(["cliui", "musl", "quickjs", "smol-toml", "yargs", "yargs-parser"]),
    );
    const copyright = readFileSync(join(REPOSITORY, "packaging/deb/copyright"), "utf8");
    const packages = names.filter((name) => name !== "musl" && name !== "quickjs");
    expect(packages.filter((name) => !copyright.includes(`Files: node_modules/${name}/*`))).toEqual([]);
  });

  describe("a .deb and an .ipk", () => {
    const packages = (kind: string): string[] => release.files.filter((file) => file.endsWith(`.${kind}`));

    test.each(["deb", "ipk"])("of kind %s have members that every reader knows", async (kind) => {
      expect(packages(kind)).toHaveLength(3);
      for (const file of packages(kind)) {
        const members = readAr(readFileSync(join(release.path, file)));
        expect(members.map(({ name }) => name)).toEqual(["debian-binary", "control.tar.gz", "data.tar.gz"]);
        expect(`${members[0]?.content}`).toBe("2.0\n");
        for (const { content } of members.slice(1)) {
          // A type letter of "x" or "g" at its place would be a pax header, which dpkg before 1.20 does not know.
          expect(paxHeaders(content)).toBe(0);
          for (const { header } of await readTarGz(content)) {
            expect(["file", "directory", "symlink"]).toContain(header.type);
          }
        }
      }
    });

    test.each(["deb", "ipk"])("of kind %s say what is in them", (kind) => {
      for (const file of packages(kind)) {
        const path = join(release.path, file);
        const field = (name: string): string => mustRun(["dpkg-deb", "--field", path, name]).trim();
        expect(`${field("Package")}_${field("Version")}_${field("Architecture")}.${kind}`).toBe(file);
        expect(field("Description")).not.toBe("");
        expect(field("Maintainer")).not.toBe("");
      }
    });

    test("have the program of their architecture", () => {
      for (const [file, machine] of [
        ["amd64.deb", 62],
        ["arm64.deb", 183],
        ["x86_64.ipk", 62],
        ["aarch64.ipk", 183],
      ] as const) {
        const tree = at(`tree-${file}`);
        mustRun(["dpkg-deb", "--extract", release.file(new RegExp(`^nvoci_.*_${file}$`)), tree]);
        expect(readFileSync(join(tree, "usr/bin/nvoci")).readUInt16LE(18)).toBe(machine);
      }
    });
  });

  describeNeeding(["lintian"], "lintian", () => {
    test("finds no error in a package", () => {
      const packages = release.files.filter((file) => file.endsWith(".deb"));
      const { stdout } = runCommand(["lintian", "--allow-root", "--fail-on", "none", ...packages], {
        cwd: release.path,
      });
      expect(stdout.split("\n").filter((line) => line.startsWith("E:"))).toEqual([]);
    });
  });

  describeNeeding(["man"], "the manual", () => {
    test.each([
      "nvoci.1",
      "nvoci-config.5",
      "nvoci-manifest.5",
      "nvidia-container-runtime.8",
      "nvidia-container-runtime-hook.8",
    ])("%s is rendered without a warning", (page) => {
      const path = join(REPOSITORY, "packaging/man", page);
      const { status, stdout, stderr } = runCommand(["man", "-l", "--warnings", path], {
        env: { PATH: process.env.PATH ?? "", LC_ALL: "C.UTF-8", MANPAGER: "cat" },
      });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toContain("DESCRIPTION");
    });
  });

  describeNeeding(["root", "namespaces", "overlayfs"], "a Debian system", () => {
    const DAEMON = "/etc/docker/daemon.json";
    const OTHERS = '{\n  "log-driver": "journald",\n  "runtimes": {"other": {"path": "x"}}\n}\n';
    // dpkg's own placeholder.
    const STATUS = `\${db:Status-Status}`;
    let place: PrivateNamespace;
    const run = (...argv: string[]): CommandResult => place.run(["chroot", at("root/merged"), ...argv]);
    const dpkg = (...words: string[]): CommandResult => run("dpkg", ...words);
    const inRoot = (path: string): string => join(at("root/upper"), path);
    const readDaemon = (): string => run("cat", DAEMON).stdout;
    const writeDaemon = (text: string) =>
      place.run(
        ["sh", "-c", `mkdir -p "${at("root/merged")}/etc/docker" && cat >"${at("root/merged")}${DAEMON}"`],
        {
          input: text,
        },
      );
    const program = (): string => basename(release.file(/^nvoci_.*_amd64\.deb$/));
    const compat = (): string => basename(release.file(/^nvoci-compat_.*_all\.deb$/));
    const install = (...files: string[]): CommandResult =>
      dpkg("--install", ...files.map((file) => `/tmp/${file}`));

    beforeAll(async () => {
      const tree = at("root");
      for (const name of ["upper", "work", "merged"]) mkdirSync(join(tree, name), { recursive: true });
      // What the machine has of our own, and of docker's configuration, is none of the test's.
      place = await openNamespace([
        `mount -t overlay overlay -o "lowerdir=/,upperdir=${tree}/upper,workdir=${tree}/work" "${tree}/merged"`,
        `mount -t proc proc "${tree}/merged/proc"`,
        `mount -t tmpfs tmpfs "${tree}/merged/tmp"`,
        `mount -t tmpfs tmpfs "${tree}/merged/dev"`,
        `mknod -m 666 "${tree}/merged/dev/null" c 1 3`,
        `rm -rf "${tree}/merged/etc/docker" "${tree}/merged/etc/default/nvoci"`,
        `cp "${release.path}"/*.deb "${tree}/merged/tmp"`,
      ]);
    });
    afterAll(() => place?.close());

    test("has the program after the installation, and docker's configuration is untouched", () => {
      writeDaemon(OTHERS);
      expect(install(program())).toMatchObject({ status: 0 });
      expect(run("nvoci", "--version").stdout).toMatch(/^nvoci \d/);
      expect(run("nvoci-hook", "-version").status).toBe(0);
      expect(readDaemon()).toBe(OTHERS);
    });

    test("has the runtime registered by nvoci-compat, beside what was there", () => {
      expect(install(compat())).toMatchObject({ status: 0 });
      expect(JSON.parse(readDaemon())).toEqual({
        "log-driver": "journald",
        runtimes: { other: { path: "x" }, nvidia: { path: "/usr/bin/nvidia-container-runtime" } },
      });
      expect(run("nvidia-container-runtime-hook", "-version").status).toBe(0);
    });

    test("keeps what the administrator changed through an upgrade", () => {
      const changed = '{"runtimes": {"nvidia": {"path": "/opt/mine"}}}';
      const before = readDaemon();
      writeDaemon(changed);
      expect(install(program(), compat())).toMatchObject({ status: 0 });
      expect(readDaemon()).toBe(changed);
      writeDaemon(before);
    });

    test("has its own daemon.json back after the removal", () => {
      expect(dpkg("--remove", "nvoci-compat")).toMatchObject({ status: 0 });
      expect(readDaemon()).toBe(OTHERS);
      expect(run("nvidia-container-runtime", "--version").status).not.toBe(0);
    });

    test("gets no daemon.json where there is no docker", () => {
      run("rm", "-r", "/etc/docker");
      const lines =
        "for name in dockerd docker; do rm -f /usr/bin/$name /usr/sbin/$name /usr/local/bin/$name; done";
      run("sh", "-c", lines);
      expect(install(compat())).toMatchObject({ status: 0 });
      expect(run("ls", "/etc/docker").status).not.toBe(0);
      expect(dpkg("--remove", "nvoci-compat").status).toBe(0);
    });

    test("keeps a daemon.json that is no JSON, and the package is installed all the same", () => {
      writeDaemon("{oops\n");
      const { status, stderr } = install(compat());
      expect(status).toBe(0);
      expect(stderr).toContain(DAEMON);
      expect(stderr).toContain("nvoci configure docker");
      expect(readDaemon()).toBe("{oops\n");
      expect(dpkg("--remove", "nvoci-compat").status).toBe(0);
      expect(readDaemon()).toBe("{oops\n");
    });

    test("is not registered with docker when /etc/default/nvoci says so", () => {
      writeDaemon(OTHERS);
      run("sh", "-c", "echo REGISTER=no >/etc/default/nvoci");
      expect(install(compat()).status).toBe(0);
      expect(readDaemon()).toBe(OTHERS);
      expect(dpkg("--remove", "nvoci-compat").status).toBe(0);
      expect(readDaemon()).toBe(OTHERS);
      run("rm", "/etc/default/nvoci");
    });

    test.each(["DPKG_ROOT", "D"])("is left alone when $%s says that an image is being built", (variable) => {
      const script = join(REPOSITORY, "packaging/deb/nvoci-compat.postinst");
      const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", [variable]: "/image" };
      writeDaemon(OTHERS);
      const text = readFileSync(script, "utf8");
      const given = ["chroot", at("root/merged"), "/bin/sh", "-s", "configure", ""];
      expect(place.run(given, { input: text, env })).toEqual({ status: 0, stdout: "", stderr: "" });
      expect(readDaemon()).toBe(OTHERS);
    });

    test("lets nvoci-compat take the place of NVIDIA's toolkit, and what needs that stays", () => {
      const toolkit = fakePackage("nvidia-container-toolkit", "1.11.0-1", { Architecture: "all" }, [
        "usr/bin/nvidia-container-runtime",
        "usr/bin/nvidia-container-runtime-hook",
      ]);
      const fields = { Architecture: "all", Depends: "nvidia-container-toolkit (>= 1.10.0-1)" };
      const docker2 = fakePackage("nvidia-docker2", "2.11.0-1", fields, ["usr/bin/nvidia-docker"]);
      for (const file of [toolkit, docker2]) place.run(["cp", file, `${at("root/merged")}/tmp`]);
      expect(install(basename(toolkit), basename(docker2)).status).toBe(0);
      // The program alone goes beside it.
      expect(install(program()).status).toBe(0);
      expect(run("readlink", "/usr/bin/nvidia-container-runtime").status).toBe(1);
      expect(install(compat())).toMatchObject({ status: 0 });
      expect(run("readlink", "/usr/bin/nvidia-container-runtime").stdout).toBe("nvoci\n");
      const state = (name: string) => run("dpkg-query", "--show", "--showformat", STATUS, name).stdout;
      expect([state("nvidia-docker2"), state("nvidia-container-toolkit")]).toEqual([
        "installed",
        "not-installed",
      ]);
      expect(dpkg("--purge", "nvidia-docker2", "nvidia-container-toolkit").status).toBe(0);
    });

    test("keeps nothing of ours after the purge", () => {
      expect(dpkg("--purge", "nvoci-compat", "nvoci").status).toBe(0);
      const found = run(
        "sh",
        "-c",
        "find /etc /usr /var -xdev -name '*nvoci*' -o -xdev -name 'nvidia-container*'",
      ).stdout;
      expect(found).toBe("");
      expect(readDaemon()).toBe(OTHERS);
      rmSync(inRoot("etc/docker"), { recursive: true, force: true });
    });
  });

  /** A package of somebody else's, with files that only have names. */
  function fakePackage(
    name: string,
    version: string,
    fields: Record<string, string>,
    files: string[] = [],
  ): string {
    const tree = at(`fake-${name}`);
    const all = {
      Package: name,
      Version: version,
      Maintainer: "x <x@example.com>",
      Description: "x",
      ...fields,
    };
    mkdirSync(join(tree, "DEBIAN"), { recursive: true });
    mkdirSync(join(tree, "usr/bin"), { recursive: true });
    const lines = Object.entries(all).map(([key, value]) => `${key}: ${value}\n`);
    writeFileSync(join(tree, "DEBIAN/control"), lines.join(""));
    for (const file of files) writeFileSync(join(tree, file), "#!/bin/sh\n", { mode: 0o755 });
    mustRun(["dpkg-deb", "--build", "--root-owner-group", tree, `${tree}.deb`]);
    return `${tree}.deb`;
  }

  describe("the native program", () => {
    const copy = (name: string): string => {
      copyFileSync(release.file(/^nvoci-linux-x86_64$/), at(name));
      return at(name);
    };

    test("works after strip", () => {
      const program = copy("stripped");
      mustRun(["strip", "--strip-all", "--remove-section=.comment", program]);
      const { status, stdout } = runCommand([
        program,
        "manifest",
        "generate",
        "--root",
        REPOSITORY,
        "/src/main.ts",
      ]);
      expect({ status, stdout }).toEqual({ status: 0, stdout: "lib, /src/main.ts\n" });
    });

    test.each([0.01, 0.25, 0.5, 0.75, 0.9, 0.99])("fails when only the first %d of it is there", (share) => {
      const program = copy(`truncated-${share}`);
      truncateSync(program, Math.floor(readFileSync(program).length * share));
      const start = () => {
        try {
          return runCommand([program, "hook", "prestart"], { input: "{}" }).status;
        } catch {
          // The kernel would not even start it.
          return "not started";
        }
      };
      expect(start()).not.toBe(0);
    });
  });

  describeNeeding(["qemu"], "the arm64 program, emulated", () => {
    const call = (words: readonly string[], input = ""): CommandResult =>
      runCommand(["qemu-aarch64-static", release.file(/^nvoci-linux-aarch64$/), ...words], {
        input,
        env: {},
      });

    test("tells version and architecture", () => {
      expect(call(["--version"]).stdout).toMatch(/^nvoci \d/);
      expect(call(["info"]).stdout).toMatch(/^architecture +arm64$/m);
    });

    test("reads directories, links and files", () => {
      const words = ["manifest", "generate", "--root", REPOSITORY, "/src/sys/native/*.h", "/tsconfig*.json"];
      const native = runCommand([release.file(/^nvoci-linux-x86_64$/), ...words]);
      expect(call(words)).toEqual(native);
      expect(native.stdout.split("\n").length).toBeGreaterThan(4);
    });

    test.each([
      ["does nothing for a container that does not ask", "void", 0],
      ["makes a plan for one that asks, and says that there is no driver", "all", 1],
    ])("%s", (_, devices, status) => {
      const bundle = at(`bundle-${devices}`);
      mkdirSync(join(bundle, "rootfs"), { recursive: true });
      const spec = {
        root: { path: "rootfs" },
        process: { env: [`NVIDIA_VISIBLE_DEVICES=${devices}`] },
        linux: {},
      };
      writeFileSync(join(bundle, "config.json"), JSON.stringify({ ociVersion: "1.0.2", ...spec }));
      const state = { ociVersion: "1.0.2", id: "x", status: "created", pid: process.pid, bundle };
      const { status: found, stdout, stderr } = call(["hook", "prestart"], JSON.stringify(state));
      expect({ found, stdout }).toEqual({ found: status, stdout: "" });
      expect(stderr).toMatch(status === 0 ? /^$/ : /^nvoci: Cannot /);
    });

    describeNeeding([...CONTAINER, "cgroup v1"], "as a hook of runc on a Jetson", () => {
      let jetson: Jetson;
      beforeAll(async () => {
        const path = "/etc/nvidia-container-runtime/config.toml";
        // The emulator refuses the namespaces of the ldconfig sandbox. It does not know bpf(2) either, hence version 1.
        const content = "[nvoci]\nldconfig = false\n";
        jetson = await openJetson({ more: [{ kind: "file", path, content }] });
      });
      afterAll(() => jetson?.close());

      test("gives a container every file and link of the manifest", () => {
        const emulated = [
          "/usr/bin/qemu-aarch64-static",
          release.file(/^nvoci-linux-aarch64$/),
          "hook",
          "prestart",
        ];
        const bundle = makeBundle({
          hooks: { prestart: [hookEntry(emulated)] },
          env: ["NVIDIA_VISIBLE_DEVICES=all"],
        });
        expect(runContainer(bundle, describeCommand(jetson), jetson.place)).toEqual(describeHost(jetson));
        bundle.remove();
      });
    });

    test("fails with a line for a state that is none", () => {
      const { status, stderr } = call(["hook", "prestart"], "{oops");
      expect(status).toBe(1);
      expect(stderr).toMatch(/^nvoci: Cannot read /);
    });
  });
});

/** How many headers of a compressed tar archive are of the pax kind. */
function paxHeaders(content: Buffer): number {
  const tar = gunzipSync(content);
  let count = 0;
  for (let at = 0; at < tar.length && tar[at] !== 0; ) {
    if ("xg".includes(String.fromCharCode(tar[at + 156] ?? 0))) count += 1;
    at += 512 + Math.ceil(Number.parseInt(tar.toString("latin1", at + 124, at + 136), 8) / 512) * 512;
  }
  return count;
}

const sha256 = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");
