import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sharedObject } from "../../../fixtures/host/shared-object.ts";
import { TRIPLET } from "../../../fixtures/rootfs.ts";
import { mustRun } from "../../../fixtures/run/run-command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../../fixtures/run/temporary-directory.ts";
import { readElf } from "../../../src/elf/read-elf.ts";
import { compareVersions, highestVersion, readLinkage } from "../../../src/elf/read-linkage.ts";
import { missing } from "../../support/engines/prerequisites.ts";

const open = (bytes: Uint8Array) =>
  readElf("/lib/libx.so", (offset, length) => bytes.subarray(offset, offset + length));
const linkage = (bytes: Uint8Array) => readLinkage(open(bytes));

describe("readLinkage()", () => {
  it("reads nothing from a library without versions", () => {
    expect(linkage(sharedObject("libx.so.1", { needed: ["liby.so.2"] }))).toEqual({
      searchPath: [],
      needs: [],
      defines: [],
    });
  });

  it("reads the versions that this machine's glibc has, as readelf(1) does", () => {
    const { defines } = linkage(readFileSync(`/lib/${TRIPLET}/libc.so.6`));
    expect(defines).toContain("GLIBC_2.17");
    expect(highestVersion("GLIBC", defines)).toMatch(/^GLIBC_2\.\d+$/);
    expect(defines.length).toBeGreaterThan(10);
  });

  describe.skipIf(missing(["gcc"]) !== undefined)("with a compiler", () => {
    let made: TemporaryDirectory;
    const at = (name: string): string => join(made.path, name);
    beforeAll(() => {
      made = temporaryDirectory("linkage");
      writeFileSync(at("x.c"), '#include <stdlib.h>\nint main(void) { return atoi(getenv("A")); }\n');
      const link = (...flags: string[]) =>
        mustRun(["gcc", ...flags, "-o", at(`x${flags.length}`), at("x.c")]);
      link("-Wl,-rpath,$ORIGIN/../lib:/opt/lib");
      link("-Wl,-rpath,/old", "-Wl,--disable-new-dtags");
    });
    afterAll(() => made?.remove());

    it("reads what a program needs, and where its libraries are searched", () => {
      const program = linkage(readFileSync(at("x1")));
      expect(program.searchPath).toEqual(["$ORIGIN/../lib", "/opt/lib"]);
      expect(highestVersion("GLIBC", program.needs)).toMatch(/^GLIBC_2\.\d+/);
      expect(linkage(readFileSync(at("x2"))).searchPath).toEqual(["/old"]);
    });

    it("answers or refuses, whatever bytes are changed, and ends", () => {
      const bytes = readFileSync(at("x1"));
      let refused = 0;
      for (let seed = 1; seed < 400; seed++) {
        const changed = Uint8Array.from(bytes);
        // Knuth's multiplicative hash spreads the places over the file's tables.
        for (let count = 0; count < 40; count++) {
          changed[((seed * 40 + count) * 2654435761) % bytes.length] = (seed * 31 + count * 17) & 0xff;
        }
        try {
          expect(linkage(changed).needs.length).toBeLessThanOrEqual(4096);
        } catch (error) {
          expect(error).toMatchObject({ code: "file-invalid" });
          refused++;
        }
      }
      expect(refused).toBeGreaterThan(0);
    });
  });
});

describe("highestVersion()", () => {
  it("compares numbers, not text, and leaves out what is not a number", () => {
    const names = ["GLIBC_2.4", "GLIBC_2.34", "GLIBC_PRIVATE", "GLIBCXX_3.4.30", "GLIBC_2.3.4"];
    expect(highestVersion("GLIBC", names)).toBe("GLIBC_2.34");
    expect(highestVersion("GLIBCXX", names)).toBe("GLIBCXX_3.4.30");
    expect(highestVersion("CXXABI", names)).toBeUndefined();
  });

  it.each([
    ["2.4", "2.34", -1],
    ["2.34", "2.34", 0],
    ["2.34.1", "2.34", 1],
  ])("compares %s and %s", (a, b, sign) => expect(Math.sign(compareVersions(a, b))).toBe(sign));
});
