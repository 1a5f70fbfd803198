import { createHash } from "node:crypto";
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { advisories } from "../../build/package/bill-of-materials.ts";
import { root } from "../../build/root.ts";
import { makeBundle } from "../../fixtures/bundle.ts";
import { runContainer } from "../../fixtures/run/container.ts";
import { type CommandResult, mustRun, runCommand } from "../../fixtures/run/run-command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { hookEntry } from "../support/build/builds.ts";
import { packageCopy, type Release } from "../support/build/release.ts";
import { CONTAINER, describeNeeding } from "../support/engines/prerequisites.ts";
import { describeCommand, describeHost, type Jetson, openJetson } from "../support/host/jetson.ts";
import { readAr, readTarGz } from "../support/image/archives.ts";

const CONFIG = "/etc/nvidia-container-runtime/config.toml";

describeNeeding(["make", "dpkg", "an arm64 compiler", "rpm", "squashfs"], "npm run package", () => {
  let made: TemporaryDirectory;
  let release: Release;
  const at = (name: string): string => join(made.path, name);
  beforeAll(() => {
    made = temporaryDirectory("packages");
    release = packageCopy(at("one"));
  });
  afterAll(() => made?.remove());

  it("makes the same bytes in another directory", () => {
    const other = packageCopy(at("another, with blanks"));
    const sums = (directory: string) => readFileSync(join(directory, "SHA256SUMS"), "utf8");
    expect(sums(other.path)).toBe(sums(release.path));
  });

  it("lists every artifact in SHA256SUMS with its sum", () => {
    const lines = release.files
      .filter((file) => file !== "SHA256SUMS")
      .map((file) => `${sha256(join(release.path, file))}  ${file}\n`);
    expect(lines.length).toBeGreaterThan(8);
    expect(readFileSync(release.file(/SHA256SUMS/), "utf8")).toBe(lines.join(""));
  });

  it("leaves no path of the build machine in a program or in the source archive's C", async () => {
    for (const arch of ["x86_64", "aarch64"]) {
      const program = readFileSync(release.file(new RegExp(`^nvoci-linux-${arch}$`)), "latin1");
      expect(program).not.toContain(made.path);
      expect(program).not.toContain(root);
    }
    const entries = await readTarGz(readFileSync(release.file(/^nvoci-[\d.]+tar\.gz$/)));
    const generated = entries.filter(({ header }) => header.name.includes("/generated/"));
    expect(generated.length).toBeGreaterThan(1);
    for (const { content } of generated) expect(content.includes(made.path)).toBe(false);
  });

  it("lists everything that the bundles contain in the bill of materials and the copyright file", () => {
    const { components } = JSON.parse(readFileSync(release.file(/\.cdx\.json$/), "utf8"));
    const names: string[] = components.map(({ name }: { name: string }) => name);
    expect(names).toEqual(
      expect.arrayContaining(["cliui", "musl", "quickjs", "smol-toml", "yargs", "yargs-parser"]),
    );
    const copyright = readFileSync(join(root, "packaging/deb/copyright"), "utf8");
    const packages = components.filter(
      ({ purl = "" }) => purl.startsWith("pkg:npm/") && !/node-linux/.test(purl),
    );
    expect(packages).toHaveLength(4);
    expect(
      packages.filter(({ name }: { name: string }) => !copyright.includes(`Files: node_modules/${name}/*`)),
    ).toEqual([]);
  });

  it("has no function in a program that an advisory is said not to be about", () => {
    const symbols = advisories(root).flatMap(({ symbol }) => symbol ?? []);
    expect(symbols.length).toBeGreaterThan(0);
    for (const arch of ["x86_64", "aarch64"]) {
      const program = readFileSync(release.file(new RegExp(`^nvoci-linux-${arch}$`)), "latin1");
      expect(symbols.filter((symbol) => program.includes(symbol))).toEqual([]);
    }
  });

  it("has the licenses of everything in every archive, and beside the programs alone", async () => {
    const own = readFileSync(join(root, "LICENSE"));
    const others = readFileSync(join(root, "packaging/deb/copyright"));
    const has = (contents: readonly Buffer[], wanted: Buffer) => contents.some((one) => one.equals(wanted));
    const missing: string[] = [];
    for (const file of release.files.filter((name) =>
      /\.(deb|ipk|rpm|raw)$|^nvoci-[\d.]+\.tar\.gz$/.test(name),
    )) {
      const contents = await contentsOf(join(release.path, file), at(`licenses-${file}`));
      // nvoci-compat has only our own files; Debian has the text of our license, and elsewhere nvoci brings it.
      if (!file.includes("compat") && !has(contents, others)) missing.push(`${file}: copyright`);
      if (!file.endsWith(".deb") && !/compat.*ipk/.test(file) && !has(contents, own))
        missing.push(`${file}: LICENSE`);
    }
    for (const [file, wanted] of [
      ["LICENSE", own],
      ["copyright", others],
    ] as const)
      if (!readFileSync(release.file(new RegExp(`^${file}$`))).equals(wanted)) missing.push(file);
    expect(missing).toEqual([]);
  });

  describe("a .deb and an .ipk", () => {
    const packages = (kind: string): string[] => release.files.filter((file) => file.endsWith(`.${kind}`));

    it.each(["deb", "ipk"])("of kind %s have members that every reader supports", async (kind) => {
      expect(packages(kind)).toHaveLength(3);
      for (const file of packages(kind)) {
        const members = readAr(readFileSync(join(release.path, file)));
        expect(members.map(({ name }) => name)).toEqual(["debian-binary", "control.tar.gz", "data.tar.gz"]);
        expect(`${members[0]?.content}`).toBe("2.0\n");
        for (const { content } of members.slice(1)) {
          // The type letters "x" and "g" mark a pax header, which dpkg before 1.20 does not support.
          expect(paxHeaders(content)).toBe(0);
          for (const { header } of await readTarGz(content)) {
            expect(["file", "directory", "symlink"]).toContain(header.type);
          }
        }
      }
    });

    it.each(["deb", "ipk"])("of kind %s describe their content in their fields", (kind) => {
      for (const file of packages(kind)) {
        const path = join(release.path, file);
        const field = (name: string): string => mustRun(["dpkg-deb", "--field", path, name]).trim();
        expect(`${field("Package")}_${field("Version")}_${field("Architecture")}.${kind}`).toBe(file);
        expect(field("Description")).not.toBe("");
        expect(field("Multi-Arch")).toBe(kind === "deb" ? "foreign" : "no");
        expect(field("Maintainer")).not.toBe("");
      }
    });

    it("contain the program of their architecture", () => {
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

  it.each([
    ["D, as OpenEmbedded sets it", (directory: string) => ({ D: directory })],
    ["PKG_ROOT, as opkg sets it", (directory: string) => ({ PKG_ROOT: `${directory}/` })],
  ])("runs the scripts of an .ipk below %s", (name, variable) => {
    const directory = at(`root-of-${name.split(",")[0]}`);
    const config = join(directory, "etc/nvidia-container-runtime/config.toml");
    mkdirSync(join(config, ".."), { recursive: true });
    writeFileSync(config, "[nvoci]\n");
    const control = `${directory}-control`;
    mustRun(["dpkg-deb", "--control", release.file(/^nvoci-compat_.*\.ipk$/), control]);
    const script = (file: string, ...words: string[]) =>
      mustRun(["sh", join(control, file), ...words], {
        env: { PATH: process.env.PATH ?? "", ...variable(directory) },
      });
    script("preinst", "install");
    expect(readFileSync(`${config}.nvoci-kept`, "utf8")).toBe("[nvoci]\n");
    // nvoci is not installed here: the script would fail if it registered a runtime.
    script("postinst", "configure");
    expect(readFileSync(config, "utf8")).toBe("[nvoci]\n");
    expect(readdirSync(directory)).toEqual(["etc", "var"]);
    expect(readdirSync(join(directory, "var/lib"))).toEqual([]);
  });

  describeNeeding(["lintian"], "lintian", () => {
    /** The first release has no distribution's bug report to close. */
    const ALLOWED = /initial-upload-closes-no-bugs/;

    it("reports no error or warning for a package", () => {
      const packages = release.files.filter((file) => file.endsWith(".deb"));
      const { stdout } = runCommand(["lintian", "--allow-root", "--fail-on", "none", ...packages], {
        cwd: release.path,
      });
      expect(stdout.split("\n").filter((line) => /^[EW]:/.test(line) && !ALLOWED.test(line))).toEqual([]);
    });
  });

  describeNeeding(["man"], "the manual", () => {
    it.each([
      "nvoci.1",
      "nvoci-config.5",
      "nvoci-manifest.5",
      "nvidia-container-runtime.8",
      "nvidia-container-runtime-hook.8",
    ])("%s renders without a warning", (page) => {
      const path = join(root, "packaging/man", page);
      const { status, stdout, stderr } = runCommand(["man", "-l", "--warnings", path], {
        env: { PATH: process.env.PATH ?? "", LC_ALL: "C.UTF-8", MANPAGER: "cat" },
      });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toContain("DESCRIPTION");
    });
  });

  describe("the native program", () => {
    const copy = (name: string): string => {
      copyFileSync(release.file(/^nvoci-linux-x86_64$/), at(name));
      return at(name);
    };

    it.each(["x86_64", "aarch64"])("is at most 2 MB for %s", (arch) => {
      const { size } = statSync(release.file(new RegExp(`^nvoci-linux-${arch}$`)));
      expect(size).toBeLessThanOrEqual(2_000_000);
    });

    it("works after strip(1)", () => {
      const program = copy("stripped");
      mustRun(["strip", "--strip-all", "--remove-section=.comment", program]);
      const { status, stdout } = runCommand([
        program,
        "manifest",
        "generate",
        "--root",
        root,
        "/src/main.ts",
      ]);
      expect({ status, stdout }).toEqual({ status: 0, stdout: "lib, /src/main.ts\n" });
    });

    it.each([
      0.01, 0.25, 0.5, 0.75, 0.9, 0.99,
    ])("fails when truncated to the first %d of its size", (share) => {
      const program = copy(`truncated-${share}`);
      truncateSync(program, Math.floor(readFileSync(program).length * share));
      const start = () => {
        try {
          return runCommand([program, "hook", "prestart"], { input: "{}" }).status;
        } catch {
          // The kernel does not start it.
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

    it("prints its version and architecture", () => {
      expect(call(["--version"]).stdout).toMatch(/^nvoci \d/);
      expect(call(["info"]).stdout).toMatch(/^architecture +arm64$/m);
    });

    it("reads directories, links and files", () => {
      const words = ["manifest", "generate", "--root", root, "/src/sys/native/*.h", "/tsconfig*.json"];
      const native = runCommand([release.file(/^nvoci-linux-x86_64$/), ...words]);
      expect(call(words)).toEqual(native);
      expect(native.stdout.split("\n").length).toBeGreaterThan(4);
    });

    it.each([
      ["does nothing for a container that requests no GPUs", "void", 0],
      ["reports that there is no driver for a container that requests GPUs", "all", 1],
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
        // The emulator lacks bpf(2), hence cgroup version 1.
        const content = "[nvoci]\nldconfig = false\n";
        jetson = await openJetson({ more: [{ kind: "file", path: CONFIG, content }] });
      });
      afterAll(() => jetson?.close());

      it.each([
        [["list"]],
        [["manifest", "list"]],
        [["manifest", "lint"]],
        [["plan", "--json"]],
      ])("prints the same for %j as the native program", (words) => {
        const arm64 = ["qemu-aarch64-static", release.file(/^nvoci-linux-aarch64$/)];
        const answer = jetson.place.run([...arm64, ...words]);
        const native = jetson.place.run([release.file(/^nvoci-linux-x86_64$/), ...words]);
        expect(answer.stdout.length).toBeGreaterThan(0);
        expect(answer).toEqual(native);
      });

      const startContainer = () => {
        const program = release.file(/^nvoci-linux-aarch64$/);
        const bundle = makeBundle({
          hooks: { prestart: [hookEntry(["/usr/bin/qemu-aarch64-static", program, "hook", "prestart"])] },
          env: ["NVIDIA_VISIBLE_DEVICES=all"],
        });
        const result = runContainer(bundle, describeCommand(jetson), jetson.place);
        bundle.remove();
        return result;
      };

      it("injects every file and link of the manifest", () => {
        expect(startContainer()).toEqual(describeHost(jetson));
      });

      it("fails at the one call that the emulator refuses, which starts the ldconfig sandbox", () => {
        jetson.place.run(["sh", "-c", `: >${CONFIG}`]);
        const { status, stderr } = startContainer();
        expect(status).toBe(1);
        expect(stderr).toContain("clone(CLONE_NEWNS|CLONE_NEWUTS|CLONE_NEWPID) = -1 EINVAL");
        const [, failed, all] = /operation (\d+) of (\d+)/.exec(stderr) ?? [];
        // The one after it allows the devices, as the test above shows.
        expect(Number(all) - Number(failed)).toBe(1);
      });
    });

    it("fails with one line for an invalid state", () => {
      const { status, stderr } = call(["hook", "prestart"], "{oops");
      expect(status).toBe(1);
      expect(stderr).toMatch(/^nvoci: Cannot read /);
    });
  });
});

/** Returns the contents of the files in an archive, whatever its form. */
async function contentsOf(archive: string, directory: string): Promise<Buffer[]> {
  mkdirSync(directory);
  if (/\.(deb|ipk)$/.test(archive)) mustRun(["dpkg-deb", "--extract", archive, directory]);
  else if (archive.endsWith(".raw")) mustRun(["unsquashfs", "-quiet", "-force", "-dest", directory, archive]);
  else mustRun(["bsdtar", "-xf", archive, "-C", directory]);
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
}

/** Returns the number of pax headers in a compressed tar archive. */
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
