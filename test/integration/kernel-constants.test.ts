import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { mustRun } from "../../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import type { Arch } from "../../src/model/machine.ts";
import * as constants from "../../src/sys/constants.ts";
import { describeNeeding } from "../support/engines/prerequisites.ts";

/** Constants of ours that the headers do not name, as expressions of the headers' constants. */
const EXPRESSIONS: Readonly<Record<string, string>> = {
  F_SEAL_ALL: "F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE",
  SECBIT_NOROOT_AND_LOCKED: "SECBIT_NOROOT | SECBIT_NOROOT_LOCKED",
};

const HEADERS = [
  "fcntl.h",
  "poll.h",
  "sched.h",
  "signal.h",
  "stdio.h",
  "sys/mman.h",
  "sys/mount.h",
  "sys/prctl.h",
  "sys/resource.h",
  "sys/stat.h",
  "time.h",
  "linux/close_range.h",
  "linux/magic.h",
  "linux/openat2.h",
  "linux/securebits.h",
];

const OWN = Object.entries(constants as Readonly<Record<string, unknown>>)
  .filter((entry): entry is [string, number] => typeof entry[1] === "number")
  .map(([name, value]) => ({ name, value }));

/** Returns a C program that prints each constant that the headers have. */
const program = (names: readonly string[]): string =>
  [
    "#define _GNU_SOURCE",
    ...HEADERS.map((name) => `#if __has_include(<${name}>)\n#include <${name}>\n#endif`),
    "int main(void) {",
    ...names.map((name) => {
      const print = `printf("${name} %lld\\n", (long long)(${EXPRESSIONS[name] ?? name}));`;
      return EXPRESSIONS[name] ? print : `#ifdef ${name}\n${print}\n#endif`;
    }),
    "return 0; }",
  ].join("\n");

function matchHeaders(arch: Arch, compiler: readonly string[], emulator: readonly string[] = []): void {
  const own = [
    ...OWN,
    ...Object.entries(constants.openFlags(arch)).map(([name, value]) => ({ name, value })),
  ];
  const directory = temporaryDirectory("constants");
  const source = join(directory.path, "constants.c");
  const compiled = join(directory.path, "constants");
  try {
    writeFileSync(source, program(own.map(({ name }) => name)));
    mustRun([...compiler, "-o", compiled, source]);
    const lines = mustRun([...emulator, compiled])
      .trim()
      .split("\n");
    const found = new Map(lines.map((line) => line.split(" ") as [string, string]));
    const known = own.filter(({ name }) => found.has(name));
    expect(known.map(({ name, value }) => `${name} ${value}`)).toEqual(
      known.map(({ name }) => `${name} ${found.get(name)}`),
    );
    // Headers of older distributions lack only the flags of the newest calls.
    const missing = own.map(({ name }) => name).filter((name) => !found.has(name));
    expect(missing.length, missing.join(" ")).toBeLessThan(12);
  } finally {
    directory.remove();
  }
}

describeNeeding(["gcc"], "the kernel's constants", () => {
  it("match this machine's headers", () => matchHeaders(process.arch === "arm64" ? "arm64" : "x64", ["gcc"]));
});

describeNeeding(["an arm64 compiler", "qemu"], "the kernel's constants for arm64", () => {
  it("match arm64's headers", () =>
    matchHeaders("arm64", ["aarch64-linux-gnu-gcc", "-static"], ["/usr/bin/qemu-aarch64-static"]));
});
