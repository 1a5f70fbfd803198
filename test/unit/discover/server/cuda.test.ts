import { expect, it } from "vitest";
import { prefersCompat } from "../../../../src/discover/server/compat-image.ts";
import { cudaVersionOfBranch } from "../../../../src/discover/server/requirement-facts.ts";
import { requestedFeatures } from "../../../../src/request/driver-capabilities.ts";

it.each([
  ["384.81", "9.0"],
  ["390.157", "9.1"],
  ["470.57.02", "11.4"],
  ["535.86.05", "12.2"],
  ["540.4.0", "12.2"],
  ["590.44.01", "13.1"],
])("cudaVersionOfBranch() of %s is %s", (driver, cuda) => {
  expect(cudaVersionOfBranch(driver)).toBe(cuda);
});

it.each(["340.108", "591.10", "9999.1", "unknown"])("cudaVersionOfBranch() is undefined for %s", (driver) => {
  expect(cudaVersionOfBranch(driver)).toBeUndefined();
});

const note = (cudaVersion: string, drivers: number[] = []) => ({ cudaVersion, drivers });

it.each([
  ["a newer CUDA for this driver", note("12.10", [470, 535]), "535.1", "12.9", true],
  ["an older CUDA", note("12.1", [535]), "535.1", "12.2", false],
  ["the same CUDA", note("12.2", [535]), "535.1", "12.2", false],
  ["a newer CUDA for other drivers", note("13.0", [550]), "535.1", "12.2", false],
  ["a newer CUDA without a list of drivers", note("13.0"), "535.1", "12.2", true],
] as const)("prefersCompat() handles %s", (_what, own, driver, cuda, preferred) => {
  expect(prefersCompat({ fileName: "libcuda.so.999.1", note: own }, driver, cuda)).toBe(preferred);
});

it.each([
  ["libcuda.so.550.54.14", true],
  ["libcuda.so.1000.1", true],
  ["libcuda.so.535.104.05", false],
  ["libcuda.so.470.57.02", false],
  ["libcuda.so.1", false],
  ["libcuda.so", false],
])("prefersCompat() uses the file name %s if the library has no note", (fileName, preferred) => {
  expect(prefersCompat({ fileName, note: undefined }, "535.86.05", "12.2")).toBe(preferred);
});

it('readServerFeatures() accepts only "enabled"', () => {
  const environment = new Map([
    ["NVIDIA_GDS", "enabled"],
    ["NVIDIA_MOFED", "Enabled"],
    ["NVIDIA_GDRCOPY", "1"],
    ["NVIDIA_NVSWITCH", ""],
  ]);
  expect(requestedFeatures(environment)).toEqual(["gds"]);
});
