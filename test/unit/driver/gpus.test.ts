import { expect, it } from "vitest";
import { gpuBrands } from "../../../src/discover/server/requirement-facts.ts";
import { parseDriverVersion, readDriverVersion } from "../../../src/driver/driver-version.ts";
import { formatPciAddress, parsePciAddress, readGpus } from "../../../src/driver/gpus.ts";
import type { HostView } from "../../../src/model/views.ts";
import { collectFindings } from "../../support/cli/collect-findings.ts";
import { memoryHost } from "../../support/host/memory-host.ts";
import { serverHost } from "../../support/host/server-host.ts";

/** Returns a host's GPUs and the findings. */
function read(host: HostView) {
  const { value: gpus, findings } = collectFindings((report) => readGpus(host, report));
  return { gpus, findings };
}

const UUID_A = "GPU-aaaaaaaa-1111-2222-3333-444444444444";
const UUID_B = "GPU-bbbbbbbb-1111-2222-3333-444444444444";

it("readGpus() numbers GPUs by PCI address, not by minor number", () => {
  const { gpus, findings } = read(
    serverHost({
      gpus: [
        { busId: "10000:00:00.0", minor: 3 },
        { busId: "0000:81:00.0", minor: 0, uuid: UUID_B },
        { busId: "0000:0a:00.0", minor: 2, uuid: UUID_A, model: "NVIDIA H100" },
      ],
    }),
  );
  expect(gpus).toMatchObject([
    { index: 0, minor: 2, uuid: UUID_A, busId: "0000:0a:00.0", model: "NVIDIA H100" },
    { index: 1, minor: 0, uuid: UUID_B, busId: "0000:81:00.0" },
    { index: 2, minor: 3, uuid: undefined, busId: "10000:00:00.0" },
  ]);
  expect(findings).toEqual([]);
});

it("readGpus() skips GPUs that the driver excludes", () => {
  const { gpus, findings } = read(
    serverHost({
      gpus: [
        { busId: "0000:01:00.0", minor: 0, excluded: true },
        { busId: "0000:02:00.0", minor: 1 },
      ],
    }),
  );
  expect(gpus).toMatchObject([{ index: 0, minor: 1 }]);
  expect(findings).toMatchObject([{ code: "gpu-excluded" }]);
});

it("readGpus() does not guess the node of a GPU without a minor number", () => {
  const { gpus, findings } = read(
    memoryHost([
      'file /proc/driver/nvidia/gpus/0000:04:00.0/information = "Model: GeForce GTX 650\\nIRQ: 44\\n"',
    ]),
  );
  expect(gpus).toEqual([]);
  expect(findings).toMatchObject([
    { code: "gpu-information-incomplete", severity: "warning", args: { field: "Device Minor" } },
  ]);
});

it("readGpus() ignores anything that is not a GPU", () => {
  const host = memoryHost([
    "dir /proc/driver/nvidia/gpus/README",
    "dir /proc/driver/nvidia/gpus/0000:01:00.0",
  ]);
  expect(read(host)).toEqual({ gpus: [], findings: [] });
  expect(read(memoryHost(""))).toEqual({ gpus: [], findings: [] });
});

it.each([
  ["NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.86.05  Fri Jul 14 20:46:33 UTC 2023", "535.86.05"],
  [
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (dvs-builder@U16)",
    "570.86.15",
  ],
  ["NVRM version: NVIDIA UNIX aarch64 Kernel Module  460.27\nGCC version:  gcc version 9.3.0", "460.27"],
])("parseDriverVersion() reads %j", (text, version) => {
  expect(parseDriverVersion(text)).toBe(version);
});

it.each([
  "",
  "GCC version:  gcc version 9.3.0",
  "NVRM version: unknown",
  "NVRM version: 535",
])("parseDriverVersion() finds no version in %j", (text) => {
  expect(parseDriverVersion(text)).toBeUndefined();
});

it("readDriverVersion() falls back to sysfs", () => {
  expect(readDriverVersion(memoryHost(['file /sys/module/nvidia/version = "550.54.14\\n"']))).toBe(
    "550.54.14",
  );
  expect(readDriverVersion(memoryHost(""))).toBeUndefined();
});

it.each([
  ["0000:01:00.0", "0000:01:00.0"],
  ["00000000:81:00.0", "0000:81:00.0"],
  ["1:A:0.0", "0001:0a:00.0"],
  ["03:00.1", "0000:03:00.1"],
  ["10000:e1:1f.7", "10000:e1:1f.7"],
])("parsePciAddress() reads %s", (text, written) => {
  const address = parsePciAddress(text);
  expect(address && formatPciAddress(address)).toBe(written);
});

it.each([
  "",
  "0",
  "0:1",
  "0000:01:00",
  "0000:01:00.8",
  "0000:001:00.0",
  "GPU-0:0.0",
  "123456789:01:00.0",
  "0000:01:00.0\n",
])("parsePciAddress() refuses %j", (text) => {
  expect(parsePciAddress(text)).toBeUndefined();
});

it.each([
  ["Tesla T4", ["tesla", "nvidia"]],
  ["NVIDIA A100-SXM4-40GB", ["nvidia", "tesla"]],
  ["NVIDIA H100 80GB HBM3", ["nvidia", "tesla"]],
  ["NVIDIA GeForce RTX 3090", ["geforce", "geforcertx"]],
  ["GeForce GTX 1080", ["geforce"]],
  ["GRID T4-16Q", ["grid", "vapps", "vpc", "vcs", "vws", "cloudgaming", "nvidia", "nvidiartx"]],
  ["NVIDIA RTX A6000", ["nvidiartx", "quadro", "quadrortx"]],
  ["Something New", []],
])("gpuBrands() of %j", (model, brands) => {
  expect(gpuBrands(model)).toEqual(brands);
});
