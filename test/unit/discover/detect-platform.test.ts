import { describe, expect, it } from "vitest";
import { DEFAULT_CONFIG } from "../../../src/config/config.ts";
import { detectPlatform } from "../../../src/discover/detect-platform.ts";
import { memoryHost } from "../../support/host/memory-host.ts";

const detect = (...tree: readonly string[]) => detectPlatform(memoryHost(tree), DEFAULT_CONFIG);

const MANIFEST = "file /etc/nvidia-container-runtime/host-files-for-container.d/drivers.csv";

describe("detectPlatform()", () => {
  it("detects Tegra and its release by the release file", () => {
    const line = JSON.stringify("# R35 (release), REVISION: 4.1, GCID: 1\n");
    expect(detect(`file /etc/nv_tegra_release = ${line}`)).toEqual({
      kind: "tegra",
      release: { major: 35, revision: "4.1" },
    });
  });

  it("detects Tegra without a release if the file is not understood", () => {
    expect(detect("file /etc/nv_tegra_release")).toEqual({ kind: "tegra", release: undefined });
  });

  it.each([
    'file /sys/devices/soc0/family = "Tegra\\n"',
    'file /sys/devices/soc0/family = "tegra234"',
    'file /sys/devices/soc0/family = "TEGRA"',
    'file /proc/device-tree/compatible = "nvidia,p3737-0000+p3701-0005\\u0000nvidia,tegra234\\u0000"',
    'file /proc/device-tree/compatible = "nvidia,tegra264\\u0000"',
    "char /dev/nvmap 10:52 0660",
    "char /dev/nvhost-ctrl-gpu 502:1 0660",
    MANIFEST,
  ])("detects Tegra without the release file by %j", (line) => {
    expect(detect(line)).toEqual({ kind: "tegra", release: undefined });
  });

  it.each([
    ["dir /etc"],
    ['file /sys/devices/soc0/family = "Freescale i.MX"'],
    ['file /sys/devices/soc0/family = "notegra"'],
    ['file /proc/device-tree/compatible = "raspberrypi,4-model-b\\u0000brcm,bcm2711\\u0000"'],
    ['file /proc/device-tree/compatible = "acme,board\\u0000acme,nvidia,tegra\\u0000"'],
    ["file /dev/nvmap"],
    [MANIFEST.replace("drivers.csv", "README")],
    [MANIFEST.replace("drivers.csv", ".csv")],
    [MANIFEST, "file /proc/driver/nvidia/version"],
  ])("does not detect Tegra on a server: %j", (...tree) => {
    expect(detect(...tree)).toEqual({ kind: "server", release: undefined });
  });
});
