import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { root } from "../../build/root.ts";
import { makeBundle } from "../../fixtures/bundle.ts";
import { runContainer } from "../../fixtures/run/container.ts";
import { openNamespace } from "../../fixtures/run/private-namespace.ts";
import { mustRun, runCommand } from "../../fixtures/run/run-command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { ARM64_EXECUTABLE, type Build, hookEntry, pkgBuild } from "../support/build/builds.ts";
import { packageCopy } from "../support/build/release.ts";
import { CONTAINER, describeNeeding } from "../support/engines/prerequisites.ts";
import {
  askingBundle,
  describeCommand,
  describeHost,
  type Jetson,
  openJetson,
} from "../support/host/jetson.ts";

describeNeeding(["the Node.js executable"], "the Node.js executable", () => {
  const build = pkgBuild as Build;
  let made: TemporaryDirectory;
  const at = (name: string): string => join(made.path, name);
  beforeAll(() => {
    made = temporaryDirectory("executable");
  });
  afterAll(() => made?.remove());

  it("contains its own Node.js", () => {
    const { status, stdout } = runCommand([build.path, "info"], { env: {} });
    expect({ status, stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^engine +Node\.js$/m),
    });
  });

  describeNeeding(["make"], "built again", () => {
    it("has the same bytes in another directory, and an archive with the licenses", () => {
      const release = packageCopy(at("another, with blanks"), ["--arch", "x86_64"]);
      const again = join(at("another, with blanks"), "dist/pkg/nvoci-linux-x86_64");
      for (const file of ["nvoci-node", "nvoci.node"]) {
        const bytes = readFileSync(join(again, file));
        expect([file, bytes.equals(readFileSync(join(dirname(build.path), file)))]).toEqual([file, true]);
      }
      const { status, stdout } = runCommand([join(again, "nvoci"), "--version"], { env: {} });
      expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringMatching(/^nvoci \d/) });

      const archive = release.file(/^nvoci-node-.*\.tar\.gz$/);
      const read = (file: string) => mustRun(["tar", "-xzOf", archive, `usr/lib/nvoci/${file}`]);
      expect(read("LICENSE")).toBe(readFileSync(join(root, "LICENSE"), "utf8"));
      expect(read("copyright")).toContain("Files: node_modules/smol-toml/*");
      expect(read("LICENSE.nodejs")).toContain("Node.js is licensed");
    });
  });

  it("acts by the name that it is called by", () => {
    symlinkSync(build.path, at("nvidia-container-runtime-hook"));
    const { status, stdout } = runCommand([at("nvidia-container-runtime-hook"), "-version"], { env: {} });
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringContaining("Hook") });
  });

  it.each([
    ["NODE_OPTIONS", (file: string) => `--require=${file}`],
    ["NODE_OPTIONS", () => "--no-such-option"],
    ["NODE_EXTRA_CA_CERTS", (file: string) => file],
    ["NODE_V8_COVERAGE", (file: string) => `${file}.coverage`],
    ["NODE_REDIRECT_WARNINGS", (file: string) => `${file}.warnings`],
    ["NODE_DEBUG", () => "fs,module"],
    ["OPENSSL_CONF", (file: string) => file],
    ["PKG_EXECPATH", () => "PKG_INVOKE_NODEJS"],
  ])("ignores %s", (variable, value) => {
    writeFileSync(at("evil.cjs"), `require("node:fs").writeFileSync(${JSON.stringify(at("obeyed"))}, "")`);
    const env = { PATH: "/usr/bin:/bin", [variable]: value(at("evil.cjs")) };
    expect(runCommand([build.path, "--version"], { env })).toEqual(runCommand([build.path, "--version"]));
    expect(readdirSync(made.path).filter((name) => /obeyed|coverage|warnings/.test(name))).toEqual([]);
  });

  describeNeeding(["root", "namespaces"], "on a read-only root", () => {
    it("runs without a home directory or a writable file system", async () => {
      const place = await openNamespace(["mount --rbind / /mnt", "mount -o remount,bind,ro /mnt"]);
      const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
      const { status, stdout, stderr } = place.run(["chroot", "/mnt", build.path, "info"], { env });
      place.close();
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toContain("Node.js");
    });

    it("writes nothing to a writable home or temporary directory", () => {
      for (const name of ["home", "tmp"]) mkdirSync(at(name));
      const env = { PATH: "/usr/bin:/bin", HOME: at("home"), TMPDIR: at("tmp") };
      expect(runCommand([build.path, "info"], { env }).status).toBe(0);
      expect([readdirSync(at("home")), readdirSync(at("tmp"))]).toEqual([[], []]);
      expect(existsSync("/tmp/nvoci-node-executable")).toBe(false);
    });
  });

  describeNeeding(
    ["qemu", "an arm64 C++ library", "the arm64 Node.js executable"],
    "for arm64, emulated",
    () => {
      // The variables that the launcher sets. The launcher is a script, which the emulator cannot start.
      const env = { NVOCI_ARGV0: "nvoci", NVOCI_FDS: "0 1 2", NVOCI_NOFILE: "1024", PATH: "/usr/bin:/bin" };
      const emulated = ["/usr/bin/qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu", ARM64_EXECUTABLE];

      it("prints its version, engine and architecture", () => {
        const call = (word: string) => runCommand([...emulated, word], { env });
        expect(call("--version").stdout).toMatch(/^nvoci \d/);
        expect(call("info").stdout).toMatch(/^engine +Node\.js\narchitecture +arm64$/m);
      });

      describeNeeding([...CONTAINER, "cgroup v1"], "as a hook of runc on a Jetson", () => {
        it("injects every file and link of the manifest", async () => {
          const path = "/etc/nvidia-container-runtime/config.toml";
          // The emulator refuses the namespaces of the ldconfig sandbox, and lacks bpf(2).
          const content = "[nvoci]\nldconfig = false\n";
          const jetson = await openJetson({ more: [{ kind: "file", path, content }] });
          const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
          const bundle = makeBundle({
            hooks: { prestart: [hookEntry([...emulated, "hook", "prestart"], words)] },
            env: ["NVIDIA_VISIBLE_DEVICES=all"],
          });
          expect(runContainer(bundle, describeCommand(jetson), jetson.place)).toEqual(describeHost(jetson));
          bundle.remove();
          jetson.close();
        });
      });
    },
  );

  describeNeeding(CONTAINER, "as a hook of runc on a Jetson", () => {
    let jetson: Jetson;
    beforeAll(async () => {
      jetson = await openJetson();
    });
    afterAll(() => jetson?.close());

    it("injects every file and link of the manifest", () => {
      const bundle = askingBundle(build);
      expect(runContainer(bundle, describeCommand(jetson), jetson.place)).toEqual(describeHost(jetson));
      bundle.remove();
    });
  });
});
