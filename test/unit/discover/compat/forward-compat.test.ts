import { describe, expect, it } from "vitest";
import { cudaVersionOfL4t } from "../../../../src/discover/compat/board-compat.ts";
import { prefersCompat } from "../../../../src/discover/compat/forward-compat.ts";
import { parseL4tRelease } from "../../../../src/manifest/select-manifests.ts";

/** The notes of real libraries. */
const NOTE_575 = { cudaVersion: "12.9", drivers: [535, 550, 560, 565, 570, 575] };
const NOTE_590 = { cudaVersion: "13.1", drivers: [535, 550, 570, 575, 580, 590] };
const NOTE_ORIN = { cudaVersion: "13.2", drivers: [] };

const noCuda = (): never => {
  throw new Error("asked for the CUDA version");
};

describe("prefersCompat() on a server", () => {
  it.each([
    ["libcuda.so.575.57.08", NOTE_575, "570.211.01", true],
    ["libcuda.so.575.57.08", NOTE_575, "535.86.05", true],
    ["libcuda.so.575.57.08", NOTE_575, "575.10.10", true],
    ["libcuda.so.575.57.08", NOTE_575, "575.57.08", false],
    ["libcuda.so.575.57.08", NOTE_575, "575.99.99", false],
    ["libcuda.so.575.57.08", NOTE_575, "525.60.13", false],
    ["libcuda.so.575.57.08", NOTE_575, "590.44.01", false],
    ["libcuda.so.590.44.01", NOTE_590, "560.35.03", false],
    ["libcuda.so.590.44.01", NOTE_590, "580.65.06", true],
    // The same branch and CUDA version, a newer update.
    ["libcuda.so.580.126.09", { cudaVersion: "13.0", drivers: [535, 580] }, "580.65.06", true],
    ["libcuda.so.580.65.06", { cudaVersion: "13.0", drivers: [535, 580] }, "580.126.09", false],
    // Numbers, not texts.
    ["libcuda.so.1000.1.1", { cudaVersion: "20.0", drivers: [620] }, "620.70.06", true],
    // A newer CUDA does not help if the note does not list the host's branch, or no branch at all.
    ["libcuda.so.620.70.06", { cudaVersion: "13.5", drivers: [535, 580] }, "595.45.04", false],
    ["libcuda.so.620.70.06", { cudaVersion: "13.5", drivers: [] }, "595.45.04", false],
    ["libcuda.so.1.1", NOTE_ORIN, "595.45.04", false],
  ])("compares %s, whose note is %j, with %s: %s", (fileName, note, driver, preferred) => {
    expect(prefersCompat({ fileName, note }, { driver, cuda: noCuda })).toBe(preferred);
  });

  it.each([
    ["libcuda.so.550.54.14", true],
    ["libcuda.so.1000.1", true],
    ["libcuda.so.535.104.05", false],
    ["libcuda.so.470.57.02", false],
    ["libcuda.so.1.1", false],
    ["libcuda.so.1", false],
    ["libcuda.so", false],
  ])("compares branches if %s has no note: %s", (fileName, preferred) => {
    const host = { driver: "535.86.05", cuda: noCuda };
    expect(prefersCompat({ fileName, note: undefined }, host)).toBe(preferred);
  });

  it("compares CUDA versions if the library's name has no driver version", () => {
    const library = { fileName: "libcuda.so.x.y", note: { cudaVersion: "13.1", drivers: [535] } };
    const on = (version: string) => ({ driver: "535.86.05", cuda: () => ({ version, orNewer: false }) });
    expect(prefersCompat(library, on("12.2"))).toBe(true);
    expect(prefersCompat(library, on("13.1"))).toBe(false);
    const other = { ...library, note: { ...library.note, drivers: [580] } };
    expect(prefersCompat(other, on("12.2"))).toBe(false);
  });
});

describe("prefersCompat() on a board", () => {
  const fileName = "libcuda.so.1.1";
  it.each([
    ["an older CUDA", "12.6", false, true],
    ["an older CUDA, by numbers", "9.10", false, true],
    ["the same CUDA", "13.2", false, false],
    ["a newer CUDA", "13.10", false, false],
    ["a CUDA that may be newer", "13.0", true, false],
  ])("compares the note's CUDA version with %s", (_, version, orNewer, preferred) => {
    const host = { driver: undefined, cuda: () => ({ version, orNewer }) };
    expect(prefersCompat({ fileName, note: NOTE_ORIN }, host)).toBe(preferred);
  });

  it("keeps the host's library if a version is unknown", () => {
    const unknown = { driver: undefined, cuda: () => undefined };
    const known = { driver: undefined, cuda: () => ({ version: "12.6", orNewer: false }) };
    expect(prefersCompat({ fileName, note: NOTE_ORIN }, unknown)).toBe(false);
    expect(prefersCompat({ fileName, note: undefined }, known)).toBe(false);
    expect(prefersCompat({ fileName: "libcuda.so.999.1", note: undefined }, known)).toBe(false);
  });
});

describe("cudaVersionOfL4t()", () => {
  const of = (release: string) => {
    const [major, ...revision] = release.split(".");
    const line = `# R${major} (release), REVISION: ${revision.join(".")}, GCID: 1, BOARD: generic, EABI: aarch64`;
    const parsed = parseL4tRelease(line);
    if (parsed === undefined) throw new Error(`not a release: ${release}`);
    return cudaVersionOfL4t(parsed);
  };

  it.each([
    ["32.3.1", "10.0"],
    ["32.7.6", "10.2"],
    ["35.6.4", "11.4"],
    ["36.3.0", "12.2"],
    ["36.4.3", "12.6"],
    ["36.5.0", "12.6"],
    ["38.4.0", "13.0"],
    ["39.2.0", "13.2"],
    ["39.2.1", "13.2"],
  ])("of %s is %s", (release, version) => {
    expect(of(release)).toEqual({ version, orNewer: false });
  });

  it.each(["39.3.0", "40.1.0"])("of %s is the newest known one or newer", (release) => {
    expect(of(release)).toEqual({ version: "13.2", orNewer: true });
  });

  it("is undefined for releases before containers", () => {
    expect(of("28.2.1")).toBeUndefined();
  });
});
