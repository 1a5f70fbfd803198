import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseManifest } from "../../src/manifest/parse-manifest.ts";

/** Bytes that resemble manifests: pieces of lines, and anything else. */
const bytes = fc
  .array(
    fc.oneof(
      fc
        .constantFrom(
          "lib",
          "dev",
          "sym",
          "dir",
          ",",
          " /usr/lib/x",
          "\n",
          "\r\n",
          "#",
          "\t",
          "\0",
          "//",
          "..",
        )
        .map((text) => [...new TextEncoder().encode(text)]),
      fc.nat(255).map((byte) => [byte]),
      fc.constant([0xef, 0xbb, 0xbf]),
    ),
    { maxLength: 60 },
  )
  .map((pieces) => Uint8Array.from(pieces.flat()));

/** Returns the lines, one character per byte. */
const linesOf = (content: Uint8Array): string[] => String.fromCharCode(...content).split("\n");

const numberOf = (source: string): number => Number(source.slice(source.lastIndexOf(":") + 1));

describe("parseManifest()", () => {
  it("accounts for each line of any bytes: an entry, a finding, a comment or a blank line", () => {
    fc.assert(
      fc.property(bytes, (content) => {
        const { specs, findings } = parseManifest(content, "f:x.csv");
        const told = [...specs, ...findings.filter(({ code }) => code !== "manifest-empty")];
        const numbers = told.map(({ source }) => numberOf(source));
        expect(new Set(numbers).size).toBe(numbers.length);
        linesOf(content).forEach((line, index) => {
          // UTF-8 white space has several bytes; such bytes count as text here only next to others.
          const ascii = line.replaceAll(/[^\x20-\x7e]/g, "").trim();
          if (ascii !== "" && !ascii.startsWith("#")) expect(numbers).toContain(index + 1);
          if (/^[ \t\r]*(?:#|$)/.test(line)) expect(numbers).not.toContain(index + 1);
        });
      }),
      { numRuns: 1000 },
    );
  });

  it("returns entries with absolute, normalized paths without NUL, in the order of lines", () => {
    fc.assert(
      fc.property(bytes, (content) => {
        const { specs } = parseManifest(content, "x.csv");
        for (const { path } of specs) expect(path).toMatch(/^(?:\/(?!\.{0,2}(?:\/|$))[^/\0]+)+$/);
        const numbers = specs.map(({ source }) => numberOf(source));
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
      }),
      { numRuns: 1000 },
    );
  });

  it("reads back any path without line breaks and without white space at its ends", () => {
    const path = fc
      .string({ unit: "binary", minLength: 1, maxLength: 40 })
      .filter((name) => name.trim() === name && !/[\n\0/]|^\.\.?$/.test(name));
    fc.assert(
      fc.property(path, (name) => {
        const content = new TextEncoder().encode(`lib, /opt/${name}`);
        expect(parseManifest(content, "x.csv").specs).toMatchObject([{ path: `/opt/${name}` }]);
      }),
    );
  });
});
