import { describe, expect, it } from "vitest";
import { selectManifests } from "../../../src/manifest/select-manifests.ts";

describe("selectManifests()", () => {
  const names = ["tensorrt.csv", "l4t.csv", "drivers.csv", "devices.csv", "cuda.csv"];

  it("returns every manifest in order of names for all", () => {
    const read = ["cuda.csv", "devices.csv", "drivers.csv", "l4t.csv", "tensorrt.csv"];
    expect(selectManifests(names, "all")).toEqual({ read, skipped: [] });
  });

  it("skips files that are not the driver's for base", () => {
    expect(selectManifests(names, "base")).toEqual({
      read: ["devices.csv", "drivers.csv", "l4t.csv"],
      skipped: ["cuda.csv", "tensorrt.csv"],
    });
  });

  it("ignores the case of the extension", () => {
    expect(selectManifests(["a.CSV", "L4T.Csv"], "all").read).toEqual(["L4T.Csv", "a.CSV"]);
    expect(selectManifests(["a.CSV", "L4T.Csv"], "base").read).toEqual(["L4T.Csv"]);
  });

  it("ignores files that are not manifests", () => {
    const others = [".csv", "l4t.csv.bak", "l4t.csv~", "csv", "xcsv", ".l4t.csv.swp", "l4t"];
    expect(selectManifests(others, "base")).toEqual({ read: [], skipped: [] });
    expect(selectManifests(others, "all")).toEqual({ read: [], skipped: [] });
  });
});
