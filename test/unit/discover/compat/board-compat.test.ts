import { describe, expect, it } from "vitest";
import { MANIFEST_DIRECTORY } from "../../../../fixtures/host/fake-l4t.ts";
import { DEFAULT_CONFIG } from "../../../../src/config/config.ts";
import { discover } from "../../../../src/discover/discover.ts";
import { machineOf } from "../../../../src/model/machine.ts";
import { memoryHost } from "../../../support/host/memory-host.ts";
import { DEBIAN_TREE, memoryImage } from "../../../support/host/memory-image.ts";
import { madeCudaNote, noteElf } from "../../../support/host/note-elf.ts";

const LIBCUDA = "/usr/lib/aarch64-linux-gnu/nvidia/libcuda.so.1.1";
const COMPAT = "/usr/local/cuda/compat";

/** Returns the line of a libcuda with a note, or without one. */
function libcuda(path: string, cuda?: string): string {
  const bytes = noteElf(cuda === undefined ? [] : [madeCudaNote({ "CUDA version": cuda })]);
  return `file ${path} 0755 = ${JSON.stringify(String.fromCharCode(...bytes))}`;
}

interface Board {
  readonly release?: string;
  /** The board's names for itself. */
  readonly compatible?: readonly string[];
  /** The CUDA version in the note of the board's own libcuda. */
  readonly cuda?: string;
}

const ORIN: Board = { release: "36.4.3", compatible: ["nvidia,p3701-0000", "nvidia,tegra234"] };
const THOR: Board = { release: "38.2.1", compatible: ["nvidia,p3834-0008", "nvidia,tegra264"] };

/** Returns the directory of the image whose libcuda a container on the board prefers. */
function compatFolder(board: Board, image: readonly string[]): string | undefined {
  const { release = "", compatible = [], cuda } = board;
  const [major, ...revision] = release.split(".");
  const text = `# R${major} (release), REVISION: ${revision.join(".")}, GCID: 1, BOARD: generic, EABI: aarch64\n`;
  const host = memoryHost([
    `file /etc/nv_tegra_release = ${JSON.stringify(text)}`,
    `file ${MANIFEST_DIRECTORY}/drivers.csv = ${JSON.stringify(`lib, ${LIBCUDA}\n`)}`,
    `file /proc/device-tree/compatible 0444 = ${JSON.stringify(compatible.map((name) => `${name}\0`).join(""))}`,
    libcuda(LIBCUDA, cuda),
  ]);
  const input = {
    host,
    image: memoryImage([...DEBIAN_TREE, ...image]),
    machine: machineOf("arm64"),
    config: DEFAULT_CONFIG,
    request: {
      visibleDevices: { kind: "all" },
      source: "NVIDIA_VISIBLE_DEVICES",
      driverCapabilities: ["utility"],
      csvMounts: undefined,
      requirements: [],
      imexChannels: [],
      migConfigDevices: undefined,
      migMonitorDevices: undefined,
      serverFeatures: [],
      mayCreateImexChannels: false,
      legacyImage: false,
      privileged: false,
    },
    givenDevices: new Set<string>(),
  } as const;
  return discover(input, () => {}).compatFolder;
}

describe("discover() on a board", () => {
  it.each([
    ["of the release", ORIN, "13.2", true],
    ["of the release, which is the same", ORIN, "12.6", false],
    ["in the note of its libcuda", { ...ORIN, cuda: "13.2" }, "13.2", false],
    [
      "in the note of its libcuda, which is older than that of the release",
      { ...ORIN, cuda: "12.2" },
      "12.6",
      true,
    ],
    ["of a release that it does not know", { ...ORIN, release: "40.1.0" }, "99.0", false],
    ["of no release", { ...ORIN, release: "x" }, "99.0", false],
  ])("compares an image's libcuda for Orin with the CUDA version %s", (_, board, cuda, isPreferred) => {
    const folder = compatFolder(board, [libcuda(`${COMPAT}_orin/libcuda.so.1.1`, cuda)]);
    expect(folder).toBe(isPreferred ? `${COMPAT}_orin` : undefined);
  });

  it("uses the usual directory on Thor, and not that of Orin", () => {
    expect(compatFolder(THOR, [libcuda(`${COMPAT}_orin/libcuda.so.1.1`, "13.2")])).toBeUndefined();
    expect(compatFolder(THOR, [libcuda(`${COMPAT}/libcuda.so.595.45.04`, "13.2")])).toBe(COMPAT);
  });

  it("uses no library without a note, and neither of two", () => {
    expect(compatFolder(ORIN, [libcuda(`${COMPAT}_orin/libcuda.so.1.1`)])).toBeUndefined();
    const two = ["1.1", "1.2"].map((version) => libcuda(`${COMPAT}_orin/libcuda.so.${version}`, "13.2"));
    expect(compatFolder(ORIN, two)).toBeUndefined();
  });

  it("loads the part that reads such libraries only for an image with the directory", () => {
    const scope = globalThis as unknown as { nvociRequire: (name: string) => unknown };
    const { nvociRequire } = scope;
    const loaded: string[] = [];
    scope.nvociRequire = (name) => {
      loaded.push(name);
      return nvociRequire(name);
    };
    try {
      compatFolder(ORIN, [`dir ${COMPAT}`]);
      expect(loaded).not.toContain("./compat.cjs");
      compatFolder(ORIN, [`dir ${COMPAT}_orin`]);
      expect(loaded).toContain("./compat.cjs");
    } finally {
      scope.nvociRequire = nvociRequire;
    }
  });
});
