import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../build/root.ts";
import { mustRun } from "./run-command.ts";

/** A shared object with one function, and a program that is linked to it by its SONAME alone. */
export interface LinkedProgram {
  /** Path of the shared object. */
  readonly library: string;
  /** Path of the program: prints what the function returns. It needs glibc. */
  readonly program: string;
}

/**
 * Compiles both once.
 *
 * @param name of the function, and of the directory in the cache.
 */
export function compileLinked(name: string, soname: string, value: number): LinkedProgram {
  const directory = join(root, ".cache/test", `linked-${name}`);
  const linked = { library: join(directory, soname), program: join(directory, "program") };
  if (existsSync(directory)) return linked;
  const partial = `${directory}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  const at = (file: string): string => join(partial, file);
  writeFileSync(at("library.c"), `int ${name}(void) { return ${value}; }\n`);
  const main = `int main(void) { return printf("%d\\n", ${name}()) < 0; }`;
  writeFileSync(at("program.c"), `#include <stdio.h>\nint ${name}(void);\n${main}\n`);
  const compile = (...args: string[]) =>
    mustRun([process.env.CC ?? "gcc", "-O1", "-Wall", "-Werror", ...args]);
  compile("-shared", "-fPIC", `-Wl,-soname,${soname}`, "-o", at(soname), at("library.c"));
  compile("-o", at("program"), at("program.c"), at(soname));
  renameSync(partial, directory);
  return linked;
}
