import { afterEach, describe, expect, it } from "vitest";
import type { BundleOptions } from "../../fixtures/bundle.ts";
import type { FakeL4tOptions } from "../../fixtures/host/fake-l4t.ts";
import { deviceEntry, fileEntry, type TreeEntry } from "../../fixtures/host/tree-entry.ts";
import { runContainer, scriptLines } from "../../fixtures/run/container.ts";
import { hookEntry } from "../support/build/builds.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { askingBundle, type Jetson, openJetson } from "../support/host/jetson.ts";
import { madeCudaNote, noteElf } from "../support/host/note-elf.ts";

const LIBRARIES = "/usr/lib/aarch64-linux-gnu/nvidia";
const LIBCUDA = `${LIBRARIES}/libcuda.so.1.1`;
const MANIFEST = `dev, /dev/nvmap\ndev, nvgpu/igpu0/ctrl\nlib, ${LIBCUDA}\n`;
const CONFIG = "/etc/nvidia-container-runtime/config.toml";
const LOG = "/etc/nvoci.log";
const logging = fileEntry(CONFIG, `[nvidia-container-cli]\ndebug = "${LOG}"\n`);

/** /proc/driver/nvidia/gpus of a Thor, whose driver reports the integrated GPU like a card. */
const THOR: readonly TreeEntry[] = [
  fileEntry(
    "/proc/driver/nvidia/gpus/0000:01:00.0/information",
    "Model: \t\t NVIDIA Thor\nGPU UUID: \t GPU-1a2b3c4d-1111-4222-8333-444455556666\nDevice Minor: \t 0\n",
  ),
];
const THOR_UUID = "GPU-1a2b3c4d-1111-4222-8333-444455556666";
const OTHER_UUID = "5e6f7a8b-1111-4222-8333-444455556666";

describeBuilds(CONTAINER, "a board", (build) => {
  const made: (() => void)[] = [];
  afterEach(() => {
    for (const undo of made.splice(0).reverse()) undo();
  });
  const open = async (options: Partial<FakeL4tOptions> = {}): Promise<Jetson> => {
    const jetson = await openJetson({
      manifests: { "devices.csv": MANIFEST },
      ...options,
      more: [logging, ...(options.more ?? [])],
    });
    made.push(jetson.close);
    return jetson;
  };
  const start = (
    jetson: Jetson,
    env: readonly string[],
    command: readonly string[],
    more: BundleOptions = {},
  ) => {
    const bundle = askingBundle(build, {
      rootfs: "busybox",
      hooks: { prestart: [hookEntry([build.path, "hook", "prestart"])] },
      env,
      ...more,
    });
    made.push(bundle.remove);
    return runContainer(bundle, command, jetson.place);
  };
  const log = (jetson: Jetson): string => jetson.place.run(["cat", LOG]).stdout;

  describe("without a card", () => {
    it.each([
      ["0", []],
      ["tegra", []],
      ["tegra,0", []],
      ["nvidia.com/gpu=tegra", []],
      ["runtime.nvidia.com/gpu=0", []],
      [OTHER_UUID, []],
      [`GPU-${OTHER_UUID}`, []],
      [THOR_UUID, THOR],
      [THOR_UUID.toLowerCase(), THOR],
      ["0000:01:00.0", THOR],
      ["tegra", THOR],
    ])("gives its GPU to a container that requests %s", async (visible, more) => {
      const jetson = await open({ more });
      expect(start(jetson, [`NVIDIA_VISIBLE_DEVICES=${visible}`], ["ls", "/dev/nvmap"])).toEqual({
        status: 0,
        stdout: "/dev/nvmap\n",
        stderr: "",
      });
      expect(log(jetson).includes("is taken for the board's only GPU")).toBe(visible.includes(OTHER_UUID));
    });

    it.each([
      ["1", []],
      ["tegra1", []],
      ["GPU-dead", []],
      ["MIG-5e6f7a8b-1111-4222-8333-444455556666", []],
      ["0009:01:00.0", THOR],
      [`GPU-${OTHER_UUID}`, THOR],
    ])("refuses a container that requests %s", async (visible, more) => {
      const { status, stderr } = start(await open({ more }), [`NVIDIA_VISIBLE_DEVICES=${visible}`], ["true"]);
      expect(status).not.toBe(0);
      expect(stderr).toContain(`Cannot use GPU \\"${visible}\\"`);
    });
  });

  describe("of the L4T release", () => {
    it.each([
      ["32.3.1", "cuda>=10.0", true],
      ["32.3.1", "cuda>=10.2", false],
      ["32.7.4", "cuda>=10.2", true],
      ["32.7.4", "cuda>=11.0", false],
      ["35.4.1", "cuda>=11.4", true],
      ["35.4.1", "cuda>=11.8", false],
      ["36.3.0", "cuda>=12.2", true],
      ["36.3.0", "cuda>=12.4", false],
      ["36.4.3", "cuda>=12.6 brand=tesla,driver>=535", true],
      ["36.4.3", "cuda>=12.8 brand=tesla,driver>=535 brand=unknown,driver>=470", false],
      ["38.2.0", "cuda>=13.0", true],
      ["38.2.0", "cuda>=13.1", false],
      ["39.2.0", "cuda>=13.2", true],
      ["39.2.0", "cuda>=99", false],
      ["41.0.0", "cuda>=99", true],
    ])("%s with an image that requires %s starts it: %s", async (release, expression, starts) => {
      const jetson = await open({ release });
      const { status, stderr } = start(jetson, [`NVIDIA_REQUIRE_CUDA=${expression}`], ["true"]);
      if (starts) expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      else expect(stderr).toContain("Cannot meet the requirement");
    });

    it("reports a requirement that the board cannot check", async () => {
      const jetson = await open({ release: null });
      const { status } = start(jetson, ["NVIDIA_REQUIRE_CUDA=cuda>=99,arch>=8.7"], ["true"]);
      expect(status).toBe(0);
      for (const term of ["cuda>=99", "arch>=8.7"]) {
        expect(log(jetson)).toContain(`NVIDIA_REQUIRE_CUDA: \\"${term}\\" cannot be checked on this host`);
      }
    });

    it("does not count if libcuda itself states its CUDA version", async () => {
      const more = [
        fileEntry(LIBCUDA, noteElf([madeCudaNote({ format: 1, "CUDA version": "12.9", driver: [] })])),
      ];
      const jetson = await open({ release: "36.3.0", more });
      expect(start(jetson, ["NVIDIA_REQUIRE_CUDA=cuda>=12.9"], ["true"]).status).toBe(0);
      const { stderr } = start(jetson, ["NVIDIA_REQUIRE_CUDA=cuda>=13.0"], ["true"]);
      expect(stderr).toContain("the host has CUDA 12.9");
    });

    it("counts for nothing if the container turns the check off", async () => {
      const env = ["NVIDIA_REQUIRE_CUDA=cuda>=99", "NVIDIA_DISABLE_REQUIRE=1"];
      expect(start(await open(), env, ["true"]).status).toBe(0);
    });
  });

  it("with Thor's names of nvgpu's nodes gives them under these names", async () => {
    const thor = ["0000:01:00.0", "0001:01:00.0"].map((address, minor) =>
      deviceEntry(`/dev/nvgpu/igpu-${address}/ctrl`, 60, 100 + minor),
    );
    const jetson = await open({ more: [...thor, { kind: "hidden", path: "/dev/nvgpu/igpu0/ctrl" }] });
    const { stdout } = start(jetson, [], ["find", "/dev/nvgpu", "-type", "c"]);
    expect(stdout.trimEnd().split("\n").sort()).toEqual(thor.map(({ path }) => path));
  });

  it("gives a node of a relative path", async () => {
    const { stdout } = start(await open(), [], ["find", "/dev/nvgpu", "-type", "c"]);
    expect(stdout).toBe("/dev/nvgpu/igpu0/ctrl\n");
  });

  describe("without the release file", () => {
    it.each([
      ["by its nodes", {}],
      ["by its manifests", { manifests: { "devices.csv": `dev, /dev/other0\nlib, ${LIBCUDA}\n` } }],
    ])("is recognized %s", async (_, options) => {
      const jetson = await open({ release: null, ...options });
      expect(start(jetson, [], ["ls", LIBCUDA]).stdout).toBe(`${LIBCUDA}\n`);
    });
  });

  describe("with network and storage adapters", () => {
    const nodes = [
      "/dev/gdrdrv",
      "/dev/infiniband/rdma_cm",
      "/dev/infiniband/uverbs0",
      "/dev/nvidia-caps-imex-channels/channel3",
      "/dev/nvidia-fs0",
      "/dev/nvidia-nvswitchctl",
    ];
    const more = [
      ...nodes.map((path, minor) => deviceEntry(path, 60, 120 + minor)),
      fileEntry("/etc/cufile.json", "{}"),
    ];
    const env = [
      ...["GDS", "MOFED", "GDRCOPY", "NVSWITCH"].map((name) => `NVIDIA_${name}=enabled`),
      "NVIDIA_IMEX_CHANNELS=3",
    ];
    const look = `for node in ${nodes.join(" ")} /etc/cufile.json; do test -e $node && echo $node; done; cat ${nodes.join(" ")} 2>&1 | grep -c "No such device"`;

    it("gives them to containers that request them, and access to them", async () => {
      const bundle = askingBundle(build, { rootfs: "busybox", env });
      made.push(bundle.remove);
      expect(scriptLines(bundle, look, (await open({ more })).place)).toEqual([
        ...nodes,
        "/etc/cufile.json",
        `${nodes.length}`,
      ]);
    });

    it("gives them to no others", async () => {
      const { stdout } = start(await open({ more }), [], ["sh", "-c", look]);
      expect(stdout).toBe("0\n");
    });

    it("starts containers that request what it lacks, and reports that", async () => {
      const jetson = await open();
      expect(start(jetson, env, ["true"])).toEqual({ status: 0, stdout: "", stderr: "" });
      for (const path of ["/dev/gdrdrv", "/dev/infiniband/uverbs*", "channel3"]) {
        expect(log(jetson)).toContain(path);
      }
    });
  });
});
