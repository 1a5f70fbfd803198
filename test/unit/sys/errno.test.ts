import { constants } from "node:os";
import { describe, expect, it } from "vitest";
import * as errno from "../../../src/sys/errno.ts";

const HIGHEST = 133;
const known = Array.from({ length: HIGHEST }, (_, index) => index + 1).filter(
  (number) => errno.errnoText(number) !== "",
);

describe("errnoName()", () => {
  it.each(known)("returns the kernel's name for %i", (number) => {
    const name = errno.errnoName(number);
    expect((constants.errno as Record<string, number>)[name]).toBe(number);
  });

  it("returns the number of an unknown errno", () => {
    expect(errno.errnoName(9999)).toBe("errno 9999");
    expect(errno.errnoText(9999)).toBe("");
  });

  it("knows every errno that the program handles", () => {
    const exported = Object.entries(errno).filter(([, value]) => typeof value === "number");
    expect(exported.length).toBeGreaterThan(10);
    for (const [name, number] of exported) expect(errno.errnoName(number as number)).toBe(name);
  });
});
