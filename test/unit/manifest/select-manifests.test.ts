import { describe, expect, it } from "vitest";
import { selectManifests } from "../../../src/manifest/select-manifests.ts";

describe("selectManifests()", () => {
  const names = ["tensorrt.csv", "l4t.csv", "drivers.csv", "devices.csv", "cuda.csv"];

  it("reads every manifest by name when all are asked for", () => {
    const read = ["cuda.csv", "devices.csv", "drivers.csv", "l4t.csv", "tensorrt.csv"];
    expect(selectManifests(names, "all")).toEqual({ read, skipped: [] });
  });

  it("skips what does not belong to the driver when the base is asked for", () => {
    expect(selectManifests(names, "base")).toEqual({
      read: ["devices.csv", "drivers.csv", "l4t.csv"],
      skipped: ["cuda.csv", "tensorrt.csv"],
    });
  });

  it("takes the extension in any case", () => {
    expect(selectManifests(["a.CSV", "L4T.Csv"], "all").read).toEqual(["L4T.Csv", "a.CSV"]);
    expect(selectManifests(["a.CSV", "L4T.Csv"], "base").read).toEqual(["L4T.Csv"]);
  });

  it("does not name files that are no manifests", () => {
    const others = [".csv", "l4t.csv.bak", "l4t.csv~", "csv", "xcsv", ".l4t.csv.swp", "l4t"];
    expect(selectManifests(others, "base")).toEqual({ read: [], skipped: [] });
    expect(selectManifests(others, "all")).toEqual({ read: [], skipped: [] });
  });
});
