import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Bundle } from "../../fixtures/bundle.ts";
import { MANIFEST_DIRECTORY } from "../../fixtures/host/fake-l4t.ts";
import {
  DRIVER_LIBRARIES,
  DRIVER_VERSION,
  type FakeGpu,
  type FakeServer,
  type FakeServerOptions,
  openServer,
} from "../../fixtures/host/fake-server.ts";
import { deviceEntry, type TreeEntry } from "../../fixtures/host/tree-entry.ts";
import { runContainer } from "../../fixtures/run/container.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { serverBundle } from "../support/engines/server-bundle.ts";

const BOARD_LIBRARY = "/usr/lib/aarch64-linux-gnu/nvidia/libnvrm_gpu.so";
const CARD_LIBRARY = `${DRIVER_LIBRARIES}/libcuda.so.${DRIVER_VERSION}`;
const INTEGRATED: FakeGpu = {
  busId: "0000:01:00.0",
  minor: 0,
  uuid: "GPU-1a2b3c4d-1111-4222-8333-444455556666",
  model: "NVIDIA Thor",
};
const CARD: FakeGpu = {
  busId: "0009:01:00.0",
  minor: 1,
  uuid: "GPU-5e6f7a8b-1111-4222-8333-444455556666",
  model: "NVIDIA RTX 6000 Ada Generation",
};

/** Files that make a server with these GPUs a Tegra board. */
const BOARD: readonly TreeEntry[] = [
  {
    kind: "file",
    path: "/etc/nv_tegra_release",
    content: "# R38 (release), REVISION: 2.0, GCID: 12345678, BOARD: generic, EABI: aarch64\n",
  },
  {
    kind: "file",
    path: `${MANIFEST_DIRECTORY}/l4t.csv`,
    content: `dev, /dev/nvmap\ndev, /dev/nvidia0\ndev, /dev/nvidia1\ndev, /dev/nvidiactl\nlib, ${BOARD_LIBRARY}\n`,
  },
  { kind: "file", path: BOARD_LIBRARY, content: "board" },
  deviceEntry("/dev/nvmap", 60, 1),
];

const OF_INTEGRATED = ["/dev/nvidia0", "/dev/nvidia2"];

describeBuilds([...CONTAINER, "gcc"], "a board with a card next to its integrated GPU", (build) => {
  let server: FakeServer;
  const bundles: Bundle[] = [];
  const start = async (options: FakeServerOptions = {}): Promise<void> => {
    server = await openServer({
      gpus: [INTEGRATED, CARD],
      ...options,
      more: [...BOARD, deviceEntry("/dev/nvidia2", 195, 2)],
    });
  };
  /** Returns what a container with this request sees, or the error. */
  const look = (visible: string) => {
    const bundle = serverBundle(build, { visible });
    bundles.push(bundle);
    const every = ["/dev/nvmap", "/dev/nvidia0", "/dev/nvidia1", "/dev/nvidia2", "/dev/nvidiactl"];
    const script = `for file in ${[...every, BOARD_LIBRARY, CARD_LIBRARY].join(" ")}; do test -e $file && echo $file; done; true`;
    const { status, stdout, stderr } = runContainer(bundle, ["sh", "-c", script], server.place);
    return { status, stderr, seen: stdout.trimEnd().split("\n") };
  };
  const nodes = (visible: string): string[] => look(visible).seen.filter((path) => path.startsWith("/dev/"));

  afterEach(() => {
    for (const bundle of bundles.splice(0)) bundle.remove();
    server?.close();
  });

  describe("with the mode detected", () => {
    beforeEach(() => start());

    it("injects the files of both, whichever GPU is requested", () => {
      for (const visible of ["all", "0", "1", "none"]) {
        expect(look(visible).seen, visible).toEqual(expect.arrayContaining([BOARD_LIBRARY, CARD_LIBRARY]));
      }
    });

    it.each([
      ["all", ["/dev/nvmap", "/dev/nvidia0", "/dev/nvidia1", "/dev/nvidia2", "/dev/nvidiactl"]],
      ["0", ["/dev/nvmap", ...OF_INTEGRATED, "/dev/nvidiactl"]],
      ["1", ["/dev/nvmap", "/dev/nvidia1", "/dev/nvidiactl"]],
      [CARD.uuid, ["/dev/nvmap", "/dev/nvidia1", "/dev/nvidiactl"]],
      [CARD.busId, ["/dev/nvmap", "/dev/nvidia1", "/dev/nvidiactl"]],
      [INTEGRATED.busId, ["/dev/nvmap", ...OF_INTEGRATED, "/dev/nvidiactl"]],
      [INTEGRATED.uuid, ["/dev/nvmap", ...OF_INTEGRATED, "/dev/nvidiactl"]],
      [`0,${CARD.uuid}`, ["/dev/nvmap", "/dev/nvidia0", "/dev/nvidia1", "/dev/nvidia2", "/dev/nvidiactl"]],
    ])("injects for the request %s the nodes %j", (visible, expected) => {
      expect(nodes(visible)).toEqual(expected);
    });

    it("injects no GPU's node for the request none", () => {
      expect(nodes("none").filter((path) => /nvmap|nvidia\d/.test(path))).toEqual([]);
    });

    it("shows only the requested GPUs in /proc", () => {
      const list = (visible: string): string[] => {
        const bundle = serverBundle(build, { visible });
        bundles.push(bundle);
        const { stdout } = runContainer(bundle, ["ls", "/proc/driver/nvidia/gpus"], server.place);
        return stdout.split("\n").filter((line) => line !== "");
      };
      expect(list("1")).toEqual([CARD.busId]);
      expect(list("0")).toEqual([INTEGRATED.busId]);
      expect(list("all")).toEqual([INTEGRATED.busId, CARD.busId]);
      expect(list("none")).toEqual([]);
    });

    it.each([
      "2",
      "GPU-dead",
      "0000:99:00.0",
    ])("does not start a container that requests the unknown GPU %s", (visible) => {
      const { status, stderr } = look(visible);
      expect(status).not.toBe(0);
      expect(stderr).toContain(`nvoci: Cannot find GPU \\"${visible}\\"`);
    });
  });

  describe("with a mode in config.toml", () => {
    const mode = (word: string) => start({ config: `[nvidia-container-runtime]\nmode = "${word}"\n` });

    it("csv uses only the manifests", async () => {
      await mode("csv");
      const { seen } = look("all");
      expect(seen).toContain(BOARD_LIBRARY);
      expect(seen).not.toContain(CARD_LIBRARY);
      const { status, stderr } = look("1");
      expect(status).not.toBe(0);
      expect(stderr).toContain('nvoci: Cannot use GPU \\"1\\"');
    });

    it("legacy uses only the cache", async () => {
      await mode("legacy");
      const { seen } = look("1");
      expect(seen).toEqual(["/dev/nvidia1", "/dev/nvidiactl", CARD_LIBRARY]);
    });
  });

  it("refuses the card on a Tegra board without one", async () => {
    await start({ gpus: [INTEGRATED] });
    expect(look("0").status).toBe(0);
    expect(look("0").seen).toContain(BOARD_LIBRARY);
    for (const visible of ["1", CARD.uuid]) {
      const { status, stderr } = look(visible);
      expect(status, visible).not.toBe(0);
      expect(stderr).toContain(`nvoci: Cannot use GPU \\"${visible}\\"`);
    }
  });
});
