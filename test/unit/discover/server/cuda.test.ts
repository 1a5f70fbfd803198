import { expect, it } from "vitest";
import { cudaVersionOfBranch } from "../../../../src/discover/server/requirement-facts.ts";
import { requestedFeatures } from "../../../../src/request/driver-capabilities.ts";

it.each([
  ["340.108", "6.5"],
  ["361.93.02", "8.0"],
  ["384.81", "9.0"],
  ["390.157", "9.1"],
  ["470.57.02", "11.4"],
  ["535.86.05", "12.2"],
  ["590.44.01", "13.1"],
  ["595.45.04", "13.2"],
  ["610.43.02", "13.3"],
  ["615.10", "13.4"],
  ["620.70.06", "13.5"],
])("cudaVersionOfBranch() of %s is %s", (driver, version) => {
  expect(cudaVersionOfBranch(driver)).toEqual({ version, orNewer: false });
});

it.each([
  "621.10",
  "700.1",
  "9999.1",
])("cudaVersionOfBranch() of %s is the newest known one or newer", (driver) => {
  expect(cudaVersionOfBranch(driver)).toEqual({ version: "13.5", orNewer: true });
});

it.each(["304.137", "unknown"])("cudaVersionOfBranch() is undefined for %s", (driver) => {
  expect(cudaVersionOfBranch(driver)).toBeUndefined();
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
