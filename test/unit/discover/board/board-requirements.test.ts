import { describe, expect, it } from "vitest";
import { DEFAULT_CONFIG } from "../../../../src/config/config.ts";
import { checkBoardRequirements } from "../../../../src/discover/board/board-requirements.ts";
import type { MountSpec } from "../../../../src/manifest/parse-manifest.ts";
import { machineOf } from "../../../../src/model/machine.ts";
import { hostPath } from "../../../../src/model/paths.ts";
import { ALL, ask } from "../../../support/cli/ask.ts";
import { catchError } from "../../../support/cli/catch-error.ts";
import { collectFindings } from "../../../support/cli/collect-findings.ts";
import { memoryHost } from "../../../support/host/memory-host.ts";
import { madeCudaNote, noteElf } from "../../../support/host/note-elf.ts";
import { withBytes } from "../../../support/host/server-host.ts";

const LIBCUDA = hostPath("/usr/lib/aarch64-linux-gnu/nvidia/libcuda.so.1.1");
const SPECS: readonly MountSpec[] = [{ type: "lib", path: LIBCUDA, source: "l4t.csv:1" }];
const NOTE = noteElf([madeCudaNote({ format: 1, "CUDA version": "12.9" })]);

const soc = (name: string): string =>
  `file /proc/device-tree/compatible = ${JSON.stringify(`nvidia,p3737-0000\0nvidia,${name}\0`)}`;

function check(expression: string, tree: readonly string[], release?: string, bytes?: Uint8Array) {
  const host = withBytes(memoryHost(tree), new Map(bytes && [[LIBCUDA, bytes]]));
  const { request } = ask([ALL, `NVIDIA_REQUIRE_CUDA=${expression}`]);
  if (request === undefined) throw new Error("Cannot test a container that requests nothing");
  const machine = machineOf("arm64");
  const input = { host, machine, config: DEFAULT_CONFIG, request, givenDevices: new Set<string>() };
  const [major = "", ...revision] = (release ?? "").split(".");
  const l4t = release === undefined ? undefined : { major: Number(major), revision: revision.join(".") };
  return collectFindings((report) => checkBoardRequirements(input, SPECS, l4t, report)).findings;
}

describe("checkBoardRequirements()", () => {
  it.each([
    ["tegra210", "5.3"],
    ["tegra186", "6.2"],
    ["tegra194", "7.2"],
    ["tegra234", "8.7"],
    ["tegra264", "11.0"],
  ])("knows that %s has compute capability %s", (name, arch) => {
    expect(check(`arch=${arch}`, [soc(name)])).toEqual([]);
    const error = catchError(() => check(`arch>${arch}`, [soc(name)]));
    expect(error.message).toContain(`the host has arch ${arch}, brand tegra`);
  });

  it.each([
    "constructor",
    "tegra999",
  ])("reports that it does not know the compute capability of %s", (name) => {
    expect(check("arch>=8.7", [soc(name)])).toMatchObject([
      { code: "requirement-unchecked", args: { term: "arch>=8.7" } },
    ]);
  });

  it("takes the CUDA version from libcuda's note, wherever its entry leads, before the release", () => {
    expect(check("cuda=12.9", [`file ${LIBCUDA}`], "36.3", NOTE)).toEqual([]);
    expect(check("cuda=12.2", [`file ${LIBCUDA}`], "36.3", new Uint8Array(4))).toEqual([]);
    expect(check("cuda=12.2", [], "36.3")).toEqual([]);
  });

  it("meets no brand", () => {
    const names = ["tesla", "unknown", "quadro", "nvidia"];
    for (const name of names) expect(() => check(`brand=${name}`, [])).toThrow("brand tegra");
    expect(check("brand!=tesla", [])).toEqual([]);
  });

  it("checks the driver's version where the kernel reports one", () => {
    const driver = 'file /sys/module/nvidia/version = "540.4.0\\n"';
    expect(check("driver>=540", [driver])).toEqual([]);
    expect(() => check("driver>=580", [driver])).toThrow("driver 540.4.0");
    expect(check("driver>=580", [])).toMatchObject([{ code: "requirement-unchecked" }]);
  });
});
