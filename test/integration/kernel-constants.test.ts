import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { mustRun } from "../../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
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
  .map(([name, value]) => ({ name, value, expression: EXPRESSIONS[name] ?? name }));

/** Returns a C program that prints each constant that the headers have. */
const program = (): string =>
  [
    "#define _GNU_SOURCE",
    ...HEADERS.map((name) => `#if __has_include(<${name}>)\n#include <${name}>\n#endif`),
    "int main(void) {",
    ...OWN.map(({ name, expression }) => {
      const print = `printf("${name} %lld\\n", (long long)(${expression}));`;
      return EXPRESSIONS[name] ? print : `#ifdef ${name}\n${print}\n#endif`;
    }),
    "return 0; }",
  ].join("\n");

describeNeeding(["gcc"], "the kernel's constants", () => {
  const directory = temporaryDirectory("constants");
  afterAll(() => directory.remove());

  it("match this machine's headers", () => {
    const source = join(directory.path, "constants.c");
    writeFileSync(source, program());
    mustRun(["gcc", "-o", join(directory.path, "constants"), source]);
    const found = new Map(
      mustRun([join(directory.path, "constants")])
        .trim()
        .split("\n")
        .map((line) => line.split(" ") as [string, string]),
    );
    for (const { name, value } of OWN) {
      if (found.has(name)) expect(`${name} ${value}`).toBe(`${name} ${found.get(name)}`);
    }
    // Headers of older distributions lack only the flags of the newest calls.
    const missing = OWN.map(({ name }) => name).filter((name) => !found.has(name));
    expect(missing.length, missing.join(" ")).toBeLessThan(12);
  });
});
