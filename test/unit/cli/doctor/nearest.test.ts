import { describe, expect, it } from "vitest";
import { nearMissOf } from "../../../../src/cli/doctor/near-miss.ts";
import { nearest } from "../../../../src/cli/doctor/nearest.ts";

describe("nearest()", () => {
  const KEYS = ["nvoci.ldconfig", "nvoci.csv-mounts", "debug"];

  it.each([
    ["nvoci.ldconfg", "nvoci.ldconfig"],
    ["nvoci.ldcofnig", "nvoci.ldconfig"],
    ["debg", "debug"],
  ])("takes %s for %s", (word, expected) => expect(nearest(word, KEYS)).toBe(expected));

  it("knows no word for another one", () => expect(nearest("nvoci.color", KEYS)).toBeUndefined());
});

describe("nearMissOf()", () => {
  it.each([
    "NVIDIA_VISIBLE_DEVICE=all",
    "NVIDIA_VISIBLE_DEVICES_=all",
    "NVIDA_VISIBLE_DEVICES=0",
    "nvidia_visible_devices=all",
    "NVIDIA_DRIVER_CAPABILITES=all",
  ])("recognizes %s", (variable) => expect(nearMissOf(["PATH=/bin", variable])).toBe(variable));

  it("does not mistake other variables", () => {
    expect(
      nearMissOf(["CUDA_VISIBLE_DEVICES=0", "NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_REQUIRE_CUDA=x"]),
    ).toBe(undefined);
  });
});
