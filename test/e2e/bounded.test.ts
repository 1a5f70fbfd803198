import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Bundle, type BundleOptions, makeBundle } from "../../fixtures/bundle.ts";
import { MANIFEST_DIRECTORY, ORIN_MANIFEST } from "../../fixtures/host/fake-l4t.ts";
import type { FakeServer } from "../../fixtures/host/fake-server.ts";
import { deviceEntry, fileEntry } from "../../fixtures/host/tree-entry.ts";
import { runContainer } from "../../fixtures/run/container.ts";
import type { CommandResult } from "../../fixtures/run/run-command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { type Build, hookEntry } from "../support/build/builds.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { serversOfEachTest } from "../support/engines/servers-of-each-test.ts";
import { installLinks } from "../support/engines/wrapper.ts";
import {
  askingBundle,
  describeCommand,
  describeHost,
  type Jetson,
  openJetson,
} from "../support/host/jetson.ts";

const MIB = 1024 * 1024;

/**
 * Seconds of processor time, which does not depend on the machine's load. The kernel kills a process that takes
 * longer, and denies it more memory. A JavaScript engine that compiles at run time maps gigabytes from the start.
 * The hard limits stay, because ldconfig's sandbox sets its own.
 */
const CEILING_SECONDS = 2;
const CEILING_BYTES = 64 * MIB;

const below = (build: Build): string[] => [
  "/usr/bin/prlimit",
  `--cpu=${CEILING_SECONDS}:`,
  "--core=0",
  ...(build.name === "native" ? [`--as=${CEILING_BYTES}:`] : []),
  "--",
];

const hooksBelow = (build: Build) => ({
  prestart: [hookEntry([...below(build), build.path, "hook", "prestart"])],
});

const range = <T>(count: number, item: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => item(index));

/** Contents of an image that make its ld.so.conf slow to read. */
const CONFIGURATIONS: Readonly<Record<string, (rootfs: string) => void>> = {
  "patterns that almost match every name of a full directory": (rootfs) => {
    mkdirSync(join(rootfs, "etc/g"));
    for (const index of range(4096, (count) => count)) {
      writeFileSync(join(rootfs, "etc/g", `${"a".repeat(240)}${index}`), "");
    }
    conf(rootfs, `include /etc/g/*${"a".repeat(120)}b\n`.repeat(64));
  },
  "files of empty lines": (rootfs) => {
    for (const index of range(64, (count) => count)) {
      writeFileSync(join(rootfs, `etc/ld.so.conf.d/${index}.conf`), "\n".repeat(65_536));
    }
    conf(rootfs, "include /etc/ld.so.conf.d/*.conf\n");
  },
  "files of short lines": (rootfs) => {
    for (const index of range(64, (count) => count)) {
      writeFileSync(join(rootfs, `etc/ld.so.conf.d/${index}.conf`), "/a\n".repeat(21_845));
    }
    conf(rootfs, "include /etc/ld.so.conf.d/*.conf\n");
  },
  "files of the kernel": (rootfs) =>
    conf(
      rootfs,
      [
        "/proc/kmsg",
        "/proc/1/mem",
        "/proc/kallsyms",
        "/proc/self/pagemap",
        "/sys/kernel/notes",
        "/sys/power/state",
      ]
        .map((path) => `include ${path}\n`)
        .join(""),
    ),
};

const conf = (rootfs: string, text: string): void => writeFileSync(join(rootfs, "etc/ld.so.conf"), text);

describeBuilds([...CONTAINER, "gcc"], "bounds on time and memory", (build) => {
  describe("reading an image's ld.so.conf", () => {
    let jetson: Jetson;
    beforeAll(async () => {
      jetson = await openJetson();
    });
    afterAll(() => jetson?.close());

    it.each(Object.keys(CONFIGURATIONS))("with %s", (kind) => {
      const sysfs = { destination: "/sys", type: "sysfs", source: "sysfs", options: ["ro"] };
      const env = ["NVIDIA_VISIBLE_DEVICES=all"];
      const bundle = makeBundle({ hooks: hooksBelow(build), env, mounts: [sysfs] });
      try {
        CONFIGURATIONS[kind]?.(bundle.rootfs);
        expect(runContainer(bundle, describeCommand(jetson), jetson.place)).toEqual(describeHost(jetson));
        const { stdout } = runContainer(bundle, ["ldconfig", "-p"], jetson.place);
        expect(stdout).toMatch(/libcuda\.so\.1 .*=> \/usr\/lib\/aarch64-linux-gnu\/nvidia\/libcuda\.so\.1/);
      } finally {
        bundle.remove();
      }
    });
  });

  describe("a manifest", () => {
    const lines = (line: (index: number) => string): string => range(1_000_000, line).join("\n");

    it.each([
      ["missing files", (index: number) => `lib,/${index}`],
      ["lines that are no entries", () => "x"],
      ["the same file", () => "lib,/opt/f"],
    ])("with a million lines of %s starts, and a finding reports the rest", async (_, line) => {
      const log = "/etc/nvoci.log";
      const config = `[nvidia-container-cli]\ndebug = "${log}"\n[nvidia-container-runtime]\nlog-level = "warning"\n`;
      const more = [
        fileEntry("/etc/nvidia-container-runtime/config.toml", config),
        fileEntry(`${MANIFEST_DIRECTORY}/l4t.csv`, lines(line)),
      ];
      const jetson = await openJetson({
        manifests: { "devices.csv": `${ORIN_MANIFEST}lib, /opt/f\n` },
        more,
      });
      const bundle = askingBundle(build);
      try {
        expect(runContainer(bundle, describeCommand(jetson), jetson.place)).toEqual(describeHost(jetson));
        const { stdout } = jetson.place.run(["grep", "than 65536 lines", log]);
        expect(stdout).toMatch(/l4t\.csv:655\d\d: the manifests have more than 65536 lines/);
      } finally {
        bundle.remove();
        jetson.close();
      }
    });
  });

  describe("an ld.so.cache", () => {
    const { open, ask } = serversOfEachTest(build);

    it("with 600,000 libraries of the driver's names starts a container, by the standard directories", async () => {
      // ldCacheBytes() would need gigabytes: here all entries share two strings.
      const python = `import struct
n = 600000
base = 48 + 24 * n
strings = b"libcuda.so.1\\0/opt/none/libcuda.so.1\\0"
header = b"glibc-ld.so.cache1.1" + struct.pack("<III12x", n, len(strings), 0)
entry = struct.pack("<iIIIQ", 0x0303, base, base + 13, 0, 0)
open("/etc/ld.so.cache", "wb").write((header + b"\\0" * 4)[:48] + entry * n + strings)`;
      const log = "/etc/nvoci.log";
      const server = await open({
        config: `[nvidia-container-cli]\ndebug = "${log}"\n`,
        setup: [`python3 -c '${python}'`],
      });
      expect(runContainer(ask(), ["/usr/bin/use-cuda"], server.place)).toEqual({
        status: 0,
        stdout: "535\n",
        stderr: "",
      });
      expect(server.place.run(["grep", "more than 16384 libraries", log]).stdout).toContain(
        "the standard directories are searched",
      );
    });
  });

  describe("an image's environment", () => {
    const { open, ask } = serversOfEachTest(build);
    const start = (server: FakeServer, options: BundleOptions, command = ["true"]): CommandResult =>
      runContainer(ask({ hooks: hooksBelow(build), ...options }), command, server.place);

    /** Calls the hook without a runtime, which itself takes minutes for such environments. */
    function callHook(server: FakeServer, env: readonly string[]): CommandResult {
      const { directory: bundle } = ask({ env });
      const state = { ociVersion: "1.0.2", id: "x", pid: process.pid, status: "created", bundle };
      const input = JSON.stringify(state);
      return server.place.run([...below(build), build.path, "hook", "prestart"], { input });
    }

    it("with absurdly many conditions is refused by the variable's name", async () => {
      const server = await open();
      const unknown = (count: number) => range(count, (index) => `x${index}>=1`).join(",");
      for (const [env, reason] of [
        [[`NVIDIA_REQUIRE_X=${unknown(70_000)}`], "its value is longer than 65536 characters"],
        [[`NVIDIA_REQUIRE_X=${unknown(6000)}`], "the requirements have more than 4096 terms"],
        [
          range(40_000, (index) => `NVIDIA_REQUIRE_${index}=cuda>=1`),
          "NVIDIA_REQUIRE_* variables: there are more than 64",
        ],
        [
          range(30, (index) => `NVIDIA_REQUIRE_${index}=${"cuda>=1 ".repeat(8000)}`),
          "they have more than 65536 characters",
        ],
        [[`NVIDIA_VISIBLE_DEVICES=${"0,".repeat(50_000)}`], "its value is longer than 65536 characters"],
        [[`NVIDIA_DRIVER_CAPABILITIES=${"a,".repeat(50_000)}`], "its value is longer than 65536 characters"],
        [[`NVIDIA_VISIBLE_DEVICES=${"0,".repeat(4 * MIB)}`], "4194304 bytes and 200000 values"],
        [range(150_000, (index) => `NVIDIA_REQUIRE_${index}=x`), "4194304 bytes and 200000 values"],
      ] as const) {
        const { status, stderr } = callHook(server, env);
        expect(status).toBe(1);
        expect(stderr).toMatch(/^nvoci: Cannot /);
        expect(stderr).toContain(reason);
        expect(stderr.length).toBeLessThan(2000);
      }
    });

    it("with the maximum number of conditions starts", async () => {
      const server = await open();
      const env = [`NVIDIA_REQUIRE_X=${range(4096, (index) => `x${index}>=1`).join(",")}`];
      expect(start(server, { env })).toEqual({ status: 0, stdout: "", stderr: "" });
    });

    const channels = "/dev/nvidia-caps-imex-channels";
    const devices = readFileSync("/proc/devices", "utf8");
    const withImex = {
      more: [fileEntry("/etc/devices", devices.replace("\n", "\n235 nvidia-caps-imex-channels\n"))],
      setup: ["mount --bind /etc/devices /proc/devices"],
    };
    const hostChannels = (server: FakeServer): string =>
      server.place.run(["sh", "-c", `ls -d ${channels}/* /dev/char/235:* 2>/dev/null`]).stdout;

    it.each([
      ["20,000 channels", range(20_000, (index) => index), "NVIDIA_IMEX_CHANNELS"],
      ["65 channels", range(65, (index) => index), "65 IMEX channels"],
      ["a channel that the host lacks", [5], "the host has no device node"],
    ])("that requests %s makes nothing on the host", async (_, asked, reason) => {
      const server = await open(withImex);
      const { status, stderr } = start(server, { env: [`NVIDIA_IMEX_CHANNELS=${asked}`] });
      expect(status).not.toBe(0);
      expect(stderr).toContain(reason);
      expect(hostChannels(server)).toBe("");
    });

    it("of a privileged container gets the channels that it requests, made on the host", async () => {
      const server = await open(withImex);
      const options = { env: ["NVIDIA_IMEX_CHANNELS=5"], capabilities: ["CAP_SYS_ADMIN"] };
      expect(start(server, options, ["ls", `${channels}/channel5`])).toEqual({
        status: 0,
        stdout: `${channels}/channel5\n`,
        stderr: "",
      });
      expect(hostChannels(server).split("\n").slice(0, 2)).toEqual([
        "/dev/char/235:5",
        `${channels}/channel5`,
      ]);
    });

    it("that is not trusted gets no parts of the data-center software", async () => {
      const config = [
        "accept-nvidia-visible-devices-as-volume-mounts = true",
        "accept-nvidia-visible-devices-envvar-when-unprivileged = false",
      ];
      const server = await open({
        config: `${config.join("\n")}\n`,
        more: [deviceEntry("/dev/gdrdrv", 60, 1), deviceEntry("/dev/infiniband/uverbs0", 60, 2)],
      });
      const all = { destination: "/var/run/nvidia-container-devices/all", type: "bind", source: "/dev/null" };
      const env = ["NVIDIA_GDRCOPY=enabled", "NVIDIA_MOFED=enabled"];
      const look = ["sh", "-c", "ls -d /dev/nvidiactl /dev/gdrdrv /dev/infiniband/* 2>/dev/null"];
      const mounts = [{ ...all, options: ["bind"] }];
      expect(start(server, { env, mounts }, look).stdout).toBe("/dev/nvidiactl\n");
      const capabilities = ["CAP_SYS_ADMIN"];
      expect(start(server, { env, mounts, capabilities }, look).stdout.split("\n")).toEqual([
        "/dev/gdrdrv",
        "/dev/infiniband/uverbs0",
        "/dev/nvidiactl",
        "",
      ]);
    });
  });

  describe("a large config.json", () => {
    let jetson: Jetson;
    let made: TemporaryDirectory;
    let wrapper: string[];
    const bundles: Bundle[] = [];
    beforeAll(async () => {
      jetson = await openJetson();
      made = temporaryDirectory("bounded");
      const directory = join(made.path, "bin");
      wrapper = [...below(build), installLinks(build, directory)];
      // The runtime's own time and memory do not count.
      writeFileSync(join(directory, "runc"), "#!/bin/sh\necho started\n", { mode: 0o755 });
    });
    afterEach(() => {
      for (const bundle of bundles.splice(0)) bundle.remove();
    });
    afterAll(() => {
      jetson?.close();
      made?.remove();
    });

    /** Runs the wrapper and the hook on a config.json with an extra member, written as Go writes it. */
    function run(
      env: readonly string[],
      extra: unknown,
    ): { wrapped: CommandResult; hooked: CommandResult; same: boolean } {
      const bundle = makeBundle({ env, rootfs: "busybox" });
      bundles.push(bundle);
      const file = join(bundle.directory, "config.json");
      const text = JSON.stringify({ ...bundle.config, extra }).replaceAll("<", "\\u003c");
      writeFileSync(file, text);
      const state = {
        ociVersion: "1.0.2",
        id: "x",
        pid: process.pid,
        status: "created",
        bundle: bundle.directory,
      };
      const hooked = jetson.place.run([...below(build), build.path, "hook", "prestart"], {
        input: JSON.stringify(state),
      });
      const wrapped = jetson.place.run([...wrapper, "create", "--bundle", bundle.directory, "x"], {
        env: { PATH: `${join(made.path, "bin")}:/usr/sbin:/usr/bin:/sbin:/bin` },
      });
      return { wrapped, hooked, same: readFileSync(file, "utf8") === text };
    }
    const ASKS = ["NVIDIA_VISIBLE_DEVICES=all"];
    const DONE = { status: 0, stdout: "", stderr: "" };

    it("that names no GPUs is left to the runtime, whatever its size", () => {
      for (const extra of [range(6 * MIB, () => []), '\\"'.repeat(3 * MIB), "\u20ac".repeat(6 * MIB)]) {
        const { wrapped, hooked, same } = run(["A=<"], extra);
        expect(wrapped).toEqual({ ...DONE, stdout: "started\n" });
        expect(hooked).toEqual(DONE);
        expect(same).toBe(true);
      }
    });

    it.each([
      ["14 MB of lists", () => range((14 * MIB) / 3, () => [])],
      ["more than 4 MiB in one string", () => "x".repeat(4 * MIB)],
      ["200,001 numbers", () => range(200_001, () => 1)],
    ] as const)("that may request GPUs and has %s is refused", (_, extra) => {
      const { wrapped, hooked, same } = run(ASKS, extra());
      for (const { status, stderr } of [wrapped, hooked]) {
        expect(status).toBe(1);
        expect(stderr).toMatch(
          /^nvoci: Cannot read ".*\/config\.json": .* 4194304 bytes and 200000 values\n$/,
        );
      }
      expect(same).toBe(true);
    });

    it.each([
      ["4 MB of environment", [...ASKS, ...range(60_000, (index) => `A${index}=${"x".repeat(50)}`)], null],
      ["190,000 numbers", ASKS, range(190_000, () => 1)],
      ["95,000 empty lists", ASKS, range(95_000, () => [])],
      ["190,000 short strings", ASKS, range(190_000, () => "a")],
      ["95,000 objects", ASKS, range(95_000, () => ({ a: 1 }))],
      ["190,000 keys", ASKS, Object.fromEntries(range(190_000, (index) => [`k${index}`, 1]))],
      ["quotation marks in a string", ASKS, '"'.repeat(1.9 * MIB)],
      ["quotation marks in a string, and is looked through", [...ASKS, "A=<"], '"'.repeat(1.9 * MIB)],
      ["a string of escapes, and is looked through", [...ASKS, "A=<"], "<".repeat(0.65 * MIB)],
      ["190,000 strings, and is looked through", ASKS, range(190_000, () => "a<")],
    ] as const)("with %s is edited", (_, env, extra) => {
      const { wrapped, same } = run(env, extra);
      expect(wrapped).toEqual({ ...DONE, stdout: "started\n" });
      expect(same).toBe(false);
    });
  });
});
