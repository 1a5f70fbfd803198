import { describe, expect, it } from "vitest";
import { type Config, DEFAULT_CONFIG } from "../../../src/config/config.ts";
import { compatDirectory } from "../../../src/discover/compat-directory.ts";
import { type ContainerPath, containerPath } from "../../../src/model/paths.ts";
import { memoryHost } from "../../support/host/memory-host.ts";

const compatible = (...words: readonly string[]): string =>
  `file /proc/device-tree/compatible 0444 = ${JSON.stringify(words.map((word) => `${word}\0`).join(""))}`;

function configured(compatContainerRoot: ContainerPath | undefined): Config {
  const { nvidiaContainerRuntime: runtime } = DEFAULT_CONFIG;
  const csv = { ...runtime.modes.csv, compatContainerRoot };
  return { ...DEFAULT_CONFIG, nvidiaContainerRuntime: { ...runtime, modes: { ...runtime.modes, csv } } };
}

describe("compatDirectory()", () => {
  it.each([
    ["a server, which has no device tree", []],
    ["a Xavier", [compatible("nvidia,p3668-0000", "nvidia,tegra194")]],
    ["a board whose name starts like Orin's", [compatible("nvidia,tegra2340")]],
    ["a device tree without valid strings", [compatible("")]],
  ])("is the default directory on %s", (_, tree) => {
    expect(compatDirectory(memoryHost(tree), DEFAULT_CONFIG)).toBe("/usr/local/cuda/compat");
  });

  it("is Orin's directory on an Orin", () => {
    const host = memoryHost([compatible("nvidia,p3701-0000", "nvidia,tegra234")]);
    expect(compatDirectory(host, DEFAULT_CONFIG)).toBe("/usr/local/cuda/compat_orin");
  });

  it.each([
    ["cuda-compat-mode = disabled", { mode: "disabled", hookOff: false }],
    ["disable-cuda-compat-lib-hook", { mode: "ldconfig", hookOff: true }],
    ["disable-cuda-compat-lib-hook in the mode hook", { mode: "hook", hookOff: true }],
  ] as const)("is none with %s, whatever directory is configured", (_, { mode, hookOff }) => {
    const { nvidiaContainerRuntime: runtime, features, ...rest } = configured(containerPath("/opt/compat"));
    const config: Config = {
      ...rest,
      features: { ...features, disableCudaCompatLibHook: hookOff },
      nvidiaContainerRuntime: {
        ...runtime,
        modes: { ...runtime.modes, legacy: { cudaCompatMode: mode } },
      },
    };
    expect(compatDirectory(memoryHost([]), config)).toBeUndefined();
  });

  it("is the configured directory, without querying the board", () => {
    const host = memoryHost([compatible("nvidia,tegra234")]);
    expect(compatDirectory(host, configured(containerPath("/opt/compat")))).toBe("/opt/compat");
    expect(host.calls.readFile).toBe(0);
  });
});
