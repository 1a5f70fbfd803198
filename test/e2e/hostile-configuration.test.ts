import { mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runContainer } from "../../fixtures/run/container.ts";
import { mustRun } from "../../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { linux } from "../../src/sys/linux.ts";
import { CWD } from "../../src/sys/syscalls.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import {
  askingBundle,
  describeCommand,
  describeHost,
  type Jetson,
  openJetson,
} from "../support/host/jetson.ts";
import { snapshotMounts, snapshotTree } from "../support/host/snapshot.ts";
import { nodeEngine } from "../support/kernel/node-engine.ts";

/** Milliseconds: far less than ldconfig's thirty seconds, far more than a container takes. */
const SOON = 5_000;
const S_IFSOCK = 0o140000;

/** Makes a replacement of the linker's configuration, by name. */
const CONFIGURATIONS: Readonly<Record<string, (path: string) => void>> = {
  "a FIFO": (path) => mustRun(["mkfifo", path]),
  "a device that never ends": (path) => mustRun(["mknod", path, "c", "1", "5"]),
  "a device without a driver": (path) => mustRun(["mknod", path, "c", "60", "99"]),
  "a socket": (path) => linux(nodeEngine()).mknodat(CWD, path, S_IFSOCK | 0o755),
  "a directory": (path) => mkdirSync(path),
  "a link to itself": (path) => mustRun(["ln", "-s", "ld.so.conf", path]),
  "a link to a FIFO": (path) => mustRun(["sh", "-c", `mkfifo ${path}.fifo && ln -s ld.so.conf.fifo ${path}`]),
  "a file of 1 GiB": (path) => {
    writeFileSync(path, "");
    truncateSync(path, 1024 ** 3);
  },
  "a million lines": (path) => writeFileSync(path, "/usr/lib/x\n".repeat(1_000_000)),
  "thousands of directories": (path) =>
    writeFileSync(path, Array.from({ length: 5000 }, (_, index) => `/d${index}\n`).join("")),
  "an include of itself": (path) => writeFileSync(path, "include /etc/ld.so.conf\ninclude /etc/*.conf\n"),
  "an include of a FIFO": (path) => {
    mustRun(["mkfifo", `${path}.fifo`]);
    writeFileSync(path, "include /etc/ld.so.conf.fifo\ninclude /etc/ld.so.conf.f*\n");
  },
  "includes of everything": (path) => writeFileSync(path, "include /* /*/* /*/*/* /*/*/*/*\n".repeat(1000)),
  "a pattern that is slow to match": (path) => {
    writeFileSync(path, `include /etc/${"*a".repeat(120)}b\n`);
    writeFileSync(join(path, "..", "a".repeat(250)), "");
  },
  "a line that is longer than any path": (path) => writeFileSync(path, `${"/".repeat(60_000)}x\n`),
  "bytes that are not text": (path) =>
    writeFileSync(path, Buffer.from("/a\0/b\n\xff\xfe\n/c\x1b[2J\ninclude \0\ninclude /\xff\n", "latin1")),
  "an include that climbs": (path) =>
    writeFileSync(path, "include ../../../../../../etc/passwd\n/../../..\n"),
  "relative lines": (path) => writeFileSync(path, "lib\n../lib\n-C\n-r /\n"),
};

/** Requests of an image. The values are an attacker's; the names are ones that the hook reads. */
const DEMANDS: readonly (readonly string[])[] = [
  ["NVIDIA_VISIBLE_DEVICES=../../etc"],
  ["NVIDIA_VISIBLE_DEVICES=all\nNVIDIA_DRIVER_CAPABILITIES=all"],
  ["NVIDIA_VISIBLE_DEVICES=--device"],
  ["NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=compute --debug=/x"],
  ["NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=../../../etc"],
  ["NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_REQUIRE_CUDA=--debug=/x"],
  ["NVIDIA_VISIBLE_DEVICES=all", `NVIDIA_REQUIRE_CUDA=${"cuda>=9.0 ".repeat(5_000)}`],
  ["NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_REQUIRE_JETPACK=csv-mounts=../../etc"],
  ["NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_CTK_CONFIG_FILE_PATH=/evil.toml", "XDG_CONFIG_HOME=/evil"],
  ["NVIDIA_VISIBLE_DEVICES=\u001b[2J\u202e"],
  [`NVIDIA_VISIBLE_DEVICES=${"a,".repeat(60_000)}`],
  ["NVIDIA_VISIBLE_DEVICES=", "NVIDIA_VISIBLE_DEVICES=../x"],
];

describeBuilds(CONTAINER, "an image's configuration", (build) => {
  const canary = temporaryDirectory("canary");
  let jetson: Jetson;
  beforeAll(async () => {
    writeFileSync(join(canary.path, "secret"), "secret");
    jetson = await openJetson();
  });
  afterAll(() => {
    jetson?.close();
    canary.remove();
  });

  it.each(Object.keys(CONFIGURATIONS))("cannot delay the container with %s as ld.so.conf", (kind) => {
    const bundle = askingBundle(build);
    const path = join(bundle.rootfs, "etc/ld.so.conf");
    try {
      rmSync(path);
      CONFIGURATIONS[kind]?.(path);
      const started = Date.now();
      const inside = runContainer(bundle, describeCommand(jetson), jetson.place);
      expect(Date.now() - started).toBeLessThan(SOON);
      expect(inside).toEqual(describeHost(jetson));
      const { stdout } = runContainer(bundle, ["ldconfig", "-p"], jetson.place);
      expect(stdout).toMatch(/libcuda\.so\.1 .*=> \/usr\/lib\/aarch64-linux-gnu\/nvidia\/libcuda\.so\.1/);
    } finally {
      bundle.remove();
    }
  });

  it("cannot delay the container with FIFOs in every place that ldconfig reads", () => {
    const bundle = askingBundle(build);
    try {
      for (const path of [
        "etc/ld.so.conf.d/aaa.conf",
        "usr/lib/aarch64-linux-gnu/nvidia/libfifo.so.1",
        "var/cache/ldconfig/aux-cache",
        "etc/ld.so.cache~",
      ]) {
        mkdirSync(join(bundle.rootfs, path, ".."), { recursive: true });
        mustRun(["mkfifo", join(bundle.rootfs, path)]);
      }
      const started = Date.now();
      const inside = runContainer(bundle, describeCommand(jetson), jetson.place);
      expect(Date.now() - started).toBeLessThan(SOON);
      expect(inside).toEqual(describeHost(jetson));
    } finally {
      bundle.remove();
    }
  });

  it.each(
    DEMANDS.map((env) => [env.join(" ").slice(0, 60), env] as const),
  )("cannot get more than the host's manifest lists by requesting %j", (_, env) => {
    const bundle = askingBundle(build, { edit: (config) => setEnvironment(config, env) });
    writeFileSync(join(bundle.rootfs, "evil.toml"), '[nvidia-container-cli]\nroot = "/"\n');
    const files = snapshotTree(canary.path);
    const mounts = snapshotMounts(jetson.place.pid);
    try {
      const started = Date.now();
      const { status, stdout, stderr } = runContainer(bundle, ["cat", "/proc/self/mountinfo"], jetson.place);
      expect(Date.now() - started).toBeLessThan(SOON);
      if (status !== 0) expect(stderr).toContain("nvoci: Cannot ");
      for (const text of ["nvoci: bug", "\u001b", "\u202e"]) expect(stderr).not.toContain(text);
      expect(stderr.length).toBeLessThan(2_000);
      const given = stdout.split("\n").map((line) => line.split(" ")[4] ?? "");
      const listed = [...jetson.files, ...jetson.devices, "/usr/lib/firmware/tegra23x"];
      const foreign = given.filter((path) => path !== "" && !isOfRuntime(path) && !listed.includes(path));
      expect(foreign).toEqual([]);
      expect(snapshotTree(canary.path)).toEqual(files);
      expect(snapshotMounts(jetson.place.pid)).toEqual(mounts);
      expect(jetson.host.changes()).toEqual([]);
    } finally {
      bundle.remove();
    }
  });
});

const isOfRuntime = (path: string): boolean =>
  ["/", "/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/console"].includes(path);

function setEnvironment(config: Record<string, unknown>, env: readonly string[]): void {
  (config.process as Record<string, unknown>).env = ["PATH=/usr/bin:/bin", ...env];
}
