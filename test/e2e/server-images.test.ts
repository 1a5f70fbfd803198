import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Bundle } from "../../fixtures/bundle.ts";
import {
  DRIVER_LIBRARIES,
  DRIVER_VERSION,
  driverFiles,
  type FakeServer,
  type FakeServerOptions,
} from "../../fixtures/host/fake-server.ts";
import { sharedObject } from "../../fixtures/host/shared-object.ts";
import { fileEntry } from "../../fixtures/host/tree-entry.ts";
import { runContainer, scriptLines } from "../../fixtures/run/container.ts";
import { mustRun } from "../../fixtures/run/run-command.ts";
import { hookEntry } from "../support/build/builds.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { serversOfEachTest } from "../support/engines/servers-of-each-test.ts";
import { MISSING_BEFORE, withoutCalls } from "../support/kernel/enosys.ts";
import { mountOptions } from "../support/kernel/mount-options.ts";

const OTHER_VERSION = "550.54.14";

describeBuilds([...CONTAINER, "gcc"], "a server's driver", (build) => {
  const { open, ask } = serversOfEachTest(build);
  const run = (server: FakeServer, bundle: Bundle, script: string) =>
    runContainer(bundle, ["/bin/busybox", "sh", "-c", `exec 2>&1; ${script}`], server.place);
  const lines = (server: FakeServer, bundle: Bundle, script: string): string[] =>
    scriptLines(bundle, script, server.place, ["/bin/busybox", "sh"]);

  describe("in different images", () => {
    it("is injected where a Debian-like image looks, with SONAME links", async () => {
      const said = lines(await open(), ask(), `ls ${DRIVER_LIBRARIES}`);
      expect(said).toEqual(
        expect.arrayContaining([`libcuda.so.${DRIVER_VERSION}`, "libcuda.so.1", "libcuda.so"]),
      );
    });

    it("is injected into /usr/lib64 of an Alpine image, with SONAME links, although it has no ldconfig", async () => {
      const said = lines(
        await open(),
        ask({ rootfs: "alpine" }),
        "ls /usr/lib64; readlink -f /usr/lib64/libnvcuvid.so.1",
      );
      expect(said).toEqual(
        expect.arrayContaining([`libcuda.so.${DRIVER_VERSION}`, "libcuda.so.1", "libGLX_nvidia.so.0"]),
      );
      expect(said.at(-1)).toBe(`/usr/lib64/libnvcuvid.so.${DRIVER_VERSION}`);
    });

    it.each([
      false,
      true,
    ])("is injected into an image of one static program (user namespace: %s)", async (userNamespace) => {
      const bundle = ask({ rootfs: "busybox", userNamespace });
      const kept = ["bin", "proc", "dev"];
      for (const name of readdirSync(bundle.rootfs)) {
        if (!kept.includes(name)) rmSync(join(bundle.rootfs, name), { recursive: true });
      }
      for (const name of readdirSync(join(bundle.rootfs, "bin"))) {
        if (name !== "busybox") rmSync(join(bundle.rootfs, "bin", name));
      }
      const box = "/bin/busybox";
      const said = lines(
        await open(),
        bundle,
        `${box} ls /usr/lib64 /usr/bin; ${box} stat -c %u /usr/lib64/libcuda.so.1 /usr; ${box} cat /dev/nvidia0`,
      );
      expect(said).toEqual(expect.arrayContaining(["libcuda.so.1", "nvidia-smi"]));
      expect(said.slice(-3)).toEqual(["0", "0", expect.stringContaining("No such device or address")]);
    });

    it("hides an image's own files of the same names", async () => {
      const server = await open();
      const bundle = ask();
      const libraries = join(bundle.rootfs, DRIVER_LIBRARIES);
      writeFileSync(join(libraries, `libcuda.so.${DRIVER_VERSION}`), "the image's own");
      mustRun(["ln", "-s", "libcuda.so.470.1.1", join(libraries, "libcuda.so.1")]);
      mkdirSync(join(bundle.rootfs, "usr/bin/nvidia-smi"));
      expect(lines(server, bundle, "use-cuda; nvidia-smi")).toEqual(["535", "smi"]);
    });
  });

  describe("on different hosts", () => {
    it("matches the version of the kernel modules if a newer one is also installed", async () => {
      const server = await open({ versions: [DRIVER_VERSION, OTHER_VERSION] });
      // ldconfig links libcuda.so.1 to the newer one.
      const link = `readlink ${DRIVER_LIBRARIES}/libcuda.so.1`;
      expect(server.place.run(["sh", "-c", link]).stdout).toContain(OTHER_VERSION);
      const said = lines(server, ask(), `ls ${DRIVER_LIBRARIES}; ${link}`);
      expect(said.filter((line) => line.includes(OTHER_VERSION))).toEqual([]);
      expect(said.at(-1)).toBe(`libcuda.so.${DRIVER_VERSION}`);
    });

    it("matches the version of the kernel modules if the cache names two directories", async () => {
      const other = "/opt/driver-550";
      const server = await open({
        more: [
          ...driverFiles(OTHER_VERSION, { root: other }),
          fileEntry("/etc/ld.so.conf.d/000-other.conf", `${other}${DRIVER_LIBRARIES}\n`),
        ],
      });
      expect(server.place.run(["ldconfig", "-p"]).stdout).toContain(
        `=> ${other}${DRIVER_LIBRARIES}/libcuda.so.1`,
      );
      const said = lines(server, ask(), `ls ${DRIVER_LIBRARIES}; use-cuda`);
      expect(said.filter((line) => line.includes(OTHER_VERSION))).toEqual([]);
      expect(said.at(-1)).toBe("535");
    });

    it("is refused if the libraries and the modules have different versions", async () => {
      const server = await open({ modules: OTHER_VERSION, versions: [DRIVER_VERSION] });
      const { status, stderr, stdout } = runContainer(ask(), ["echo", "started"], server.place);
      expect([status === 0, stdout]).toEqual([false, ""]);
      expect(stderr).toMatch(
        /nvoci: Cannot use the NVIDIA driver .*550\.54\.14.*libcuda\.so\.535\.86\.05|libnvidia-ml\.so\.535\.86\.05/,
      );
    });

    it("is refused if no kernel module is loaded", async () => {
      const server = await open({ modules: null });
      const { status, stderr } = runContainer(ask(), ["true"], server.place);
      expect(status).not.toBe(0);
      expect(stderr).toContain("/proc/driver/nvidia/version");
    });

    it("contains only NVIDIA's libraries if Mesa's have the vendor-neutral names", async () => {
      const mesa = ["libGL.so.1", "libEGL.so.1", "libGLESv2.so.2"];
      const server = await open({
        more: mesa.map((name) => fileEntry(`${DRIVER_LIBRARIES}/${name}.0.0`, sharedObject(name))),
      });
      const said = lines(server, ask(), `ls ${DRIVER_LIBRARIES}`);
      expect(said).toContain("libGLX_nvidia.so.0");
      expect(said.filter((line) => /^lib(?:GL|EGL|GLESv2)\.so/.test(line))).toEqual([]);
    });

    it("is injected without the library of a stale cache entry", async () => {
      const server = await open({ setup: [`rm ${DRIVER_LIBRARIES}/libnvcuvid.so*`] });
      expect(server.place.run(["ldconfig", "-p"]).stdout).toContain("libnvcuvid.so.1");
      const said = lines(server, ask(), `ls ${DRIVER_LIBRARIES}; use-cuda`);
      expect(said.filter((line) => line.includes("nvcuvid"))).toEqual([]);
      expect(said.at(-1)).toBe("535");
    });

    it.each([
      ["has no ld.so.cache", "rm /etc/ld.so.cache"],
      [
        "has a truncated one",
        "head -c 300 /etc/ld.so.cache > /tmp/nvoci-cache.$$; cat /tmp/nvoci-cache.$$ > /etc/ld.so.cache; rm /tmp/nvoci-cache.$$",
      ],
      ["has an empty one", ": > /etc/ld.so.cache"],
    ])("is found if the host %s", async (_, script) => {
      const server = await open({ setup: [script] });
      expect(lines(server, ask(), "use-cuda; readlink -f /usr/lib/*/libnvcuvid.so.1")).toEqual([
        "535",
        `${DRIVER_LIBRARIES}/libnvcuvid.so.${DRIVER_VERSION}`,
      ]);
    });

    it.each([
      false,
      true,
    ])("is injected from a driver container (user namespace: %s)", async (userNamespace) => {
      const root = "/run/nvidia/driver";
      const server = await open({ root, config: `[nvidia-container-cli]\nroot = "${root}"\n` });
      expect(server.place.run(["sh", "-c", `ls ${DRIVER_LIBRARIES}`]).stdout).not.toContain("libcuda");
      const firmware = `/lib/firmware/nvidia/${DRIVER_VERSION}/gsp_tu10x.bin`;
      const said = lines(
        server,
        ask({ userNamespace }),
        `use-cuda; nvidia-smi; cat ${firmware}; cat /dev/nvidia0`,
      );
      expect(said.slice(0, 2)).toEqual(["535", "smi"]);
      expect(said[2]).toContain(DRIVER_VERSION);
      expect(said.at(-1)).toContain("No such device or address");
    });
  });

  describe("with directories of config.toml", () => {
    const CUDA = "/opt/cuda-12.2";
    const library = (path: string, soname: string) => fileEntry(path, sharedObject(soname));
    const options: FakeServerOptions = {
      config: [
        "[nvoci]",
        "[[nvoci.directories]]",
        'host = "/opt/cuda"',
        'container = "/usr/local/cuda"',
        "[[nvoci.directories]]",
        'host = "/opt/not-there"',
        'container = "/opt/not-there"',
        "",
      ].join("\n"),
      more: [
        { kind: "link", path: "/opt/cuda", target: "cuda-12.2" },
        library(`${CUDA}/lib64/libcudart.so.12.2.140`, "libcudart.so.12"),
        { kind: "link", path: `${CUDA}/lib64/libcudart.so.12`, target: "libcudart.so.12.2.140" },
        library(`${CUDA}/extras/deep/libcupti.so.12`, "libcupti.so.12"),
        library(`${CUDA}/extras/unnamed/libunnamed.so.1`, "libunnamed.so.1"),
        fileEntry("/etc/ld.so.conf.d/nvidia-cuda-test.conf", `# by a package\n${CUDA}/extras/deep\n`),
      ],
    };

    it.each([
      false,
      true,
    ])("shows them at their own path and lists their libraries (user namespace: %s)", async (userNamespace) => {
      const server = await open(options);
      const bundle = ask({ userNamespace });
      const said = lines(server, bundle, "ls /usr/local/cuda /opt; ldconfig -p; echo x > /usr/local/cuda/x");
      expect(said).toEqual(expect.arrayContaining(["lib64", "extras"]));
      expect(said).not.toContain("not-there");
      const text = said.join("\n");
      expect(text).toContain("=> /usr/local/cuda/lib64/libcudart.so.12");
      expect(text).toContain("=> /usr/local/cuda/extras/deep/libcupti.so.12");
      expect(text).not.toContain("libunnamed");
      expect(said.at(-1)).toContain("Read-only file system");
    });

    const MOUNTED = `${CUDA}/extras/deep/mounted`;
    const mounted = [`mkdir ${MOUNTED}`, `mount -t tmpfs tmpfs ${MOUNTED}`, `touch ${MOUNTED}/file`];

    it("shows them without the mounts below them", async () => {
      const server = await open({ ...options, setup: mounted });
      const said = lines(server, ask(), "ls /usr/local/cuda/extras/deep/mounted; use-cuda");
      expect(said).toEqual(["535"]);
    });

    it.each([
      "this kernel",
      "5.11",
      "4.9",
    ] as const)("shows all of them read-only in a user namespace (%s)", async (kernel) => {
      const missing = kernel === "this kernel" ? [] : MISSING_BEFORE[kernel];
      const hook = hookEntry(withoutCalls(missing, [build.path, "hook", "prestart"]));
      const server = await open({ ...options, setup: mounted });
      const bundle = ask({ userNamespace: true, hooks: { prestart: [hook] } });
      const place = "/usr/local/cuda/extras/deep/mounted";
      expect(lines(server, bundle, `use-cuda; ls ${place}; echo x > ${place}/x`)).toEqual([
        "535",
        "file",
        expect.stringContaining("Read-only file system"),
      ]);
      const mounts = mountOptions(run(server, bundle, "cat /proc/self/mountinfo").stdout);
      expect(mounts.get(place)).toEqual(expect.arrayContaining(["ro", "nosuid", "nodev"]));
    });
  });

  describe("with an image's requirements", () => {
    it.each([
      ["cuda>=12.0", []],
      ["cuda>=12.0 brand=tesla,driver>=470", []],
      ["cuda>=13.0", ["NVIDIA_DISABLE_REQUIRE=true"]],
    ])("is injected for %s with %j", async (requirement, env) => {
      const bundle = ask({ env: [`NVIDIA_REQUIRE_CUDA=${requirement}`, ...env] });
      expect(lines(await open(), bundle, "use-cuda")).toEqual(["535"]);
    });

    it.each(["cuda>=13.0", "driver>=999", "brand=geforce"])("is refused for %s", async (requirement) => {
      const bundle = ask({ env: [`NVIDIA_REQUIRE_CUDA=${requirement}`] });
      const { status, stdout, stderr } = run(await open(), bundle, "echo started");
      expect([status === 0, stdout]).toEqual([false, ""]);
      expect(stderr).toContain("nvoci: Cannot ");
      expect(stderr).toContain(requirement);
    });
  });
});
