import { constants as files } from "node:fs";
import { constants as system } from "node:os";
import { describe, expect, it } from "vitest";
import * as constants from "../../../src/sys/constants.ts";

/** The constants that Node.js has for the machine that runs the tests. */
const KNOWN: Readonly<Record<string, number | undefined>> = { ...files, ...system.signals };
const own = Object.entries(constants as Readonly<Record<string, unknown>>).filter(
  ([name]) => KNOWN[name] !== undefined,
);
const arch = process.arch === "arm64" ? "arm64" : "x64";

describe("the kernel's constants", () => {
  it.each(own)("%s is the machine's", (name, value) => {
    expect(value).toBe(KNOWN[name]);
  });

  it("openFlags() returns the machine's O_DIRECTORY and O_NOFOLLOW", () => {
    const { O_DIRECTORY, O_NOFOLLOW } = files;
    expect(constants.openFlags(arch)).toEqual({ O_DIRECTORY, O_NOFOLLOW });
  });

  it("openFlags() differs between the machines, and each flag is one bit", () => {
    const bits = [constants.openFlags("x64"), constants.openFlags("arm64")].flatMap((flags) =>
      Object.values(flags),
    );
    expect(new Set(bits).size).toBe(4);
    for (const bit of bits) expect(Math.log2(bit) % 1).toBe(0);
  });
});
