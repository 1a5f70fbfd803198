import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Bundle } from "../../fixtures/bundle.ts";
import { ORIN_MANIFEST } from "../../fixtures/host/fake-l4t.ts";
import {
  DRIVER_LIBRARIES,
  DRIVER_VERSION,
  FAKE_GPUS,
  type FakeServer,
  openServer,
} from "../../fixtures/host/fake-server.ts";
import { sharedObject } from "../../fixtures/host/shared-object.ts";
import { fileEntry } from "../../fixtures/host/tree-entry.ts";
import { LOADER, makeRootfs, TRIPLET } from "../../fixtures/rootfs.ts";
import { createContainer } from "../../fixtures/run/container.ts";
import type { PrivateNamespace } from "../../fixtures/run/private-namespace.ts";
import { mustRun } from "../../fixtures/run/run-command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import type { Build } from "../support/build/builds.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { serverBundle } from "../support/engines/server-bundle.ts";
import { askingBundle, type Jetson, openJetson } from "../support/host/jetson.ts";

const CUDA = `${DRIVER_LIBRARIES}/libcuda.so.${DRIVER_VERSION}`;
const MANIFESTS = "/etc/nvidia-container-runtime/host-files-for-container.d";

/** What the command prints with `--json`. */
interface Answer {
  readonly status: number;
  readonly verdict: string;
  readonly given: boolean;
  readonly [key: string]: unknown;
}

const ask = (build: Build, place: PrivateNamespace, ...words: string[]): Answer => {
  const { status, stdout, stderr } = place.run([build.path, "why", "--json", ...words]);
  if (stderr !== "") throw new Error(stderr);
  return { status, ...JSON.parse(stdout) };
};
const say = (build: Build, place: PrivateNamespace, ...words: string[]): string =>
  place.run([build.path, "why", ...words]).stdout;

describeBuilds([...CONTAINER, "gcc"], "nvoci why on a server", (build) => {
  let server: FakeServer;
  let made: TemporaryDirectory;
  const at = (name: string): string => join(made.path, name);
  const why = (...words: string[]): Answer => ask(build, server.place, ...words);

  beforeAll(async () => {
    made = temporaryDirectory("why");
    const other = `${DRIVER_LIBRARIES}/libnvidia-pkcs11.so.530.30.02`;
    server = await openServer({
      more: [
        fileEntry(other, sharedObject("libnvidia-pkcs11.so.1")),
        fileEntry(`${DRIVER_LIBRARIES}/libnvidia-opencl.so.${DRIVER_VERSION}`, ""),
        fileEntry(`${DRIVER_LIBRARIES}/libnvidia-ngx.so.${DRIVER_VERSION}`, "<html>"),
        fileEntry("/opt/vendor/libvendor.so.3", sharedObject("libvendor.so.3")),
      ],
      setup: [
        `ln -sf ${other} ${DRIVER_LIBRARIES}/libnvidia-pkcs11.so.1; ldconfig; cp ${CUDA} ${DRIVER_LIBRARIES}/libnvidia-nvvm.so.${DRIVER_VERSION}`,
      ],
    });
    mkdirSync(at("image"));
    makeRootfs(at("image"), "debian");
  });
  afterAll(() => {
    server?.close();
    made?.remove();
  });

  it("names the host's file and who asked for it", () => {
    expect(why("libcuda.so.1")).toMatchObject({ status: 0, given: true, verdict: "given", from: CUDA });
    expect(why("libcuda")).toMatchObject({ verdict: "given" });
    expect(why(CUDA)).toMatchObject({ verdict: "given", from: CUDA });
    expect(why("/dev/nvidiactl")).toMatchObject({ status: 0, verdict: "given", from: "/dev/nvidiactl" });
    expect(say(build, server.place, "libcuda.so.1")).toContain("ld.so.cache entry libcuda.so.1");
  });

  it("names the missing capability, and its fix works", () => {
    expect(why("libnvidia-encode.so.1")).toMatchObject({
      status: 1,
      given: false,
      verdict: "capability-missing",
      requested: "compute,utility",
      including: ["video"],
    });
    const [, fix = ""] = /-e (\S+)/.exec(say(build, server.place, "libnvidia-encode.so.1")) ?? [];
    expect(fix).toBe("NVIDIA_DRIVER_CAPABILITIES=compute,utility,video");
    expect(why("libnvidia-encode.so.1", "--env", fix)).toMatchObject({ verdict: "given", status: 0 });
  });

  it("recognizes a container that requests nothing, and a misspelled variable", () => {
    expect(why("libcuda.so.1", "--env", "NVIDIA_VISIBLE_DEVICES=void")).toMatchObject({
      status: 1,
      verdict: "not-requested",
    });
    expect(why("libcuda.so.1", "--env", "NVIDIA_VISIBLE_DEVICE=all")).toMatchObject({
      verdict: "not-requested",
      nearMiss: "NVIDIA_VISIBLE_DEVICE=all",
    });
  });

  it("says that a node belongs to another GPU", () => {
    const visible = `NVIDIA_VISIBLE_DEVICES=${FAKE_GPUS[0].uuid}`;
    expect(why("/dev/nvidia1", "--env", visible)).toMatchObject({ verdict: "given" });
    expect(why("/dev/nvidia0", "--env", visible)).toMatchObject({ verdict: "gpu-not-requested" });
  });

  it("says that the hook would refuse the container", () => {
    expect(why("libcuda.so.1", "--env", "NVIDIA_VISIBLE_DEVICES=9")).toMatchObject({
      status: 1,
      verdict: "refused",
      message: expect.stringMatching(/^Cannot .*9/),
    });
  });

  it.each([
    ["empty", "libnvidia-opencl.so.1", []],
    ["damaged", "libnvidia-ngx.so.1", ["--env", "NVIDIA_DRIVER_CAPABILITIES=all"]],
    ["other-version", "libnvidia-pkcs11.so.1", []],
    ["uncached", "libnvidia-nvvm.so.4", []],
    ["host-lacks", "libnvidia-compiler.so.1", []],
    ["host-lacks", "libnosuch.so.1", []],
    ["host-lacks", "/dev/nosuch", []],
    ["unlisted", "/opt/vendor/libvendor.so.3", []],
  ])("answers %s for %s", (verdict, name, more) => {
    expect(why(name, ...more)).toMatchObject({ status: 1, given: false, verdict });
  });

  it("says which of the image's own files wins", () => {
    mkdirSync(at("image/opt/own"), { recursive: true });
    writeFileSync(at("image/opt/own/libcuda.so.1"), sharedObject("libcuda.so.1"));
    const inImage = ["libcuda.so.1", "--rootfs", at("image")];
    expect(why(...inImage)).toMatchObject({ status: 0, verdict: "given" });
    expect(why(...inImage, "--env", "LD_LIBRARY_PATH=/usr/x:/opt/own")).toMatchObject({
      status: 1,
      verdict: "image-wins",
      instead: "/opt/own/libcuda.so.1",
      by: "LD_LIBRARY_PATH",
    });
    writeFileSync(at("main.c"), "int main(void) { return 0; }\n");
    mustRun(["gcc", "-Wl,-rpath,$ORIGIN/../../opt/own", "-o", at("image/usr/bin/main"), at("main.c")]);
    expect(why(...inImage, "--program", "/usr/bin/main")).toMatchObject({
      verdict: "image-wins",
      by: "RPATH",
    });
  });

  it("compares the glibc that a library wants with the image's", () => {
    const versions = (root: string) => why("libcuda.so.1", "--rootfs", root);
    const well = versions(at("image"));
    expect(well).toMatchObject({ status: 0, needs: [] });
    // A library of the driver that calls a function of glibc, as the real ones do.
    writeFileSync(
      at("wants.c"),
      '#include <stdlib.h>\n#include <string.h>\nvoid *wants(void) { return strdup(getenv("A")); }\n',
    );
    mustRun(["gcc", "-shared", "-fPIC", "-Wl,-soname,libcuda.so.1", "-o", at("libcuda"), at("wants.c")]);
    mustRun(["cp", at("libcuda"), at("kept")]);
    const { status } = server.place.run(["cp", at("libcuda"), CUDA]);
    expect(status).toBe(0);
    const now = versions(at("image"));
    expect(now).toMatchObject({ status: 0, needs: [{ name: "libc.so.6", from: "image" }] });
    expect(now.versions).toMatchObject([
      { family: "GLIBC", wanted: "GLIBC_2.2.5", has: expect.stringMatching(/^GLIBC_2\.\d+$/) },
    ]);

    // An image with a libc of another age.
    mkdirSync(at("old"));
    makeRootfs(at("old"), "debian");
    writeFileSync(at("libc.c"), "int nothing;\n");
    writeFileSync(at("libc.map"), "GLIBC_2.0 { nothing; };\n");
    const libc = at(`old/usr/lib/${TRIPLET}/libc.so.6`);
    mustRun([
      "gcc",
      "-shared",
      "-nostdlib",
      "-fPIC",
      `-Wl,--version-script=${at("libc.map")}`,
      "-o",
      libc,
      at("libc.c"),
    ]);
    const old = versions(at("old"));
    expect(old).toMatchObject({ status: 1, given: false });
    expect(old.versions).toMatchObject([{ family: "GLIBC", wanted: "GLIBC_2.2.5", has: "GLIBC_2.0" }]);
    expect(say(build, server.place, "libcuda.so.1", "--rootfs", at("old"))).toMatch(
      /wants GLIBC_2\.2\.5; the image has GLIBC_2\.0/,
    );
    expect(LOADER).toMatch(/ld-linux/);

    mkdirSync(at("small"));
    makeRootfs(at("small"), "busybox");
    expect(versions(at("small"))).toMatchObject({
      status: 1,
      needs: [{ name: "libc.so.6", from: "nowhere" }],
    });
  });

  it("refuses what is neither a path nor a name", () => {
    expect(server.place.run([build.path, "why", "lib/x"])).toMatchObject({ status: 2 });
  });

  describe("about a container", () => {
    let bundle: Bundle | undefined;
    afterEach(() => bundle?.remove());

    it("reads a bundle's request", () => {
      bundle = serverBundle(build, { driverCapabilities: "utility" });
      expect(why("libcuda.so.1", "--bundle", bundle.directory)).toMatchObject({
        verdict: "capability-missing",
        requested: "utility",
      });
    });

    it("reads a running one's request and image", () => {
      bundle = serverBundle(build, { driverCapabilities: "utility" });
      const container = createContainer(bundle, undefined, server.place);
      try {
        container.start();
        const words = ["--container", `${container.pid}`];
        expect(why("libcuda.so.1", ...words)).toMatchObject({
          verdict: "capability-missing",
          requested: "utility",
        });
        expect(why("libnvidia-ml.so.1", ...words)).toMatchObject({ verdict: "given", status: 0 });
      } finally {
        container.delete();
      }
    });
  });
});

describeBuilds([...CONTAINER, "gcc"], "nvoci why on a board", (build) => {
  let jetson: Jetson;
  const why = (...words: string[]): Answer => ask(build, jetson.place, ...words);
  const OWN = "/usr/lib/aarch64-linux-gnu/libown.so.1";

  beforeAll(async () => {
    const missing = "lib, /usr/lib/aarch64-linux-gnu/nvidia/libnvgone.so\n";
    jetson = await openJetson({
      manifests: { "l4t.csv": ORIN_MANIFEST, "cuda.csv": "lib, /usr/lib/aarch64-linux-gnu/libcudnn.so.8\n" },
      more: [
        fileEntry(`${MANIFESTS}/drivers.csv`, missing),
        fileEntry(OWN, sharedObject("libown.so.1")),
        fileEntry("/usr/bin/apt-get", "#!/bin/sh\n", 0o755),
      ],
    });
  });
  afterAll(() => jetson?.close());

  it("names the line of the manifest", () => {
    expect(why("libcuda.so.1.1")).toMatchObject({ verdict: "given", source: "l4t.csv:7" });
    expect(why("libcuda.so.1")).toMatchObject({ verdict: "given", status: 0 });
    expect(why("/lib/firmware/tegra23x/below/second")).toMatchObject({
      verdict: "given-inside",
      source: "l4t.csv:6",
    });
    expect(why("/dev/nvmap")).toMatchObject({ verdict: "given", source: "l4t.csv:3" });
  });

  it("says that its manifest is not read", () => {
    expect(why("libcudnn.so.8")).toMatchObject({
      status: 1,
      verdict: "manifest-unread",
      source: "cuda.csv:1",
    });
    const all = ["--env", "NVIDIA_REQUIRE_JETPACK=csv-mounts=all"];
    expect(why("libcudnn.so.8", ...all)).toMatchObject({ status: 0, verdict: "given" });
  });

  it("gives the line to add for a file that no manifest lists, and the line works", () => {
    const { verdict, line, file } = why("libown.so.1");
    expect({ verdict, line, file }).toEqual({
      verdict: "unlisted",
      line: `lib, ${OWN}`,
      file: `${MANIFESTS}/drivers.csv`,
    });
    jetson.place.run(["sh", "-c", `echo "${line}" >> ${file}`]);
    expect(why("libown.so.1")).toMatchObject({ verdict: "given", from: OWN });
  });

  it("says that the host lacks what a manifest lists, and the package that has it", () => {
    expect(why("libnvgone.so")).toMatchObject({
      verdict: "host-lacks",
      source: "drivers.csv:1",
      install: ["apt-get", "install", "--reinstall", "nvidia-l4t-core"],
    });
  });

  it("answers for a container that the board's engine runs", () => {
    const bundle = askingBundle(build);
    try {
      expect(why("libcuda.so.1.1", "--bundle", bundle.directory)).toMatchObject({ verdict: "given" });
      copyFileSync("/bin/busybox", join(bundle.rootfs, "bin/other"));
    } finally {
      bundle.remove();
    }
  });
});
