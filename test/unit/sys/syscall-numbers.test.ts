import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { syscallNumbers } from "../../../src/sys/syscall-numbers.ts";

const HEADERS = {
  x64: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
  arm64: "/usr/include/asm-generic/unistd.h",
} as const;

/** Numbers by name; a name can refer to another macro, as the generic table's `__NR3264_…` do. */
function readNumbers(header: string): ReadonlyMap<string, number> {
  const values = new Map<string, string>();
  for (const [, name, value] of header.matchAll(/^#define\s+(__NR(?:3264)?_\w+)\s+(\w+)/gm)) {
    if (name !== undefined && value !== undefined && !values.has(name)) values.set(name, value);
  }
  const numbers = new Map<string, number>();
  for (const [name, value] of values) {
    const number = Number(values.get(value) ?? value);
    if (!Number.isNaN(number)) numbers.set(name.replace(/^__NR_/, ""), number);
  }
  return numbers;
}

/** The generic header offers both names for a number; the word size selects one. */
const GENERIC_NAMES: Readonly<Record<string, string>> = { newfstatat: "__NR3264_fstatat" };

describe.each(["x64", "arm64"] as const)("syscallNumbers() for %s", (arch) => {
  const numbers = syscallNumbers(arch);

  it.skipIf(!existsSync(HEADERS[arch]))("match the kernel's header (needs linux-libc-dev)", () => {
    const header = readNumbers(readFileSync(HEADERS[arch], "utf8"));
    for (const [name, number] of Object.entries(numbers)) {
      const alias = GENERIC_NAMES[name];
      const expected = header.get(name) ?? header.get(`__NR3264_${name}`) ?? (alias && header.get(alias));
      expect(number, name).toBe(expected);
    }
  });

  it("contain each number once", () => {
    const values = Object.values(numbers);
    expect(new Set(values).size).toBe(values.length);
  });

  it("are the same on every machine for calls since Linux 5.1", () => {
    const recent = Object.entries(numbers).filter(([, number]) => number >= 424);
    expect(recent.map(([name]) => name)).toContain("openat2");
    for (const [name, number] of recent) {
      expect(syscallNumbers("x64")[name as "openat2"]).toBe(number);
      expect(syscallNumbers("arm64")[name as "openat2"]).toBe(number);
    }
  });
});
