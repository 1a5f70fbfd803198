import { describe, expect, it } from "vitest";
import { detectPlatform } from "../../../src/discover/detect-platform.ts";
import { memoryHost } from "../../support/host/memory-host.ts";

const detect = (tree: string) => detectPlatform(memoryHost(tree));

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

  it.each(["Tegra\\n", "tegra234", "TEGRA"])("detects Tegra by the SoC family %j", (family) => {
    expect(detect(`file /sys/devices/soc0/family = "${family}"`)).toEqual({
      kind: "tegra",
      release: undefined,
    });
  });

  it.each([
    "dir /etc",
    `file /sys/devices/soc0/family = "Freescale i.MX"`,
    `file /sys/devices/soc0/family = "notegra"`,
  ])("does not detect Tegra on a server: %j", (tree) => {
    expect(detect(tree)).toEqual({ kind: "server", release: undefined });
  });
});
