import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { mustRun } from "../fixtures/run/run-command.ts";

/** Compiles C source into a shared object with a SONAME. */
export function compileLibrary(
  path: string,
  soname: string,
  source: string,
  options: readonly string[] = [],
): void {
  compile(path, source, ["-shared", "-fPIC", `-Wl,-soname,${soname}`], options);
}

/** Compiles C source into a program. */
export const compileProgram = (path: string, source: string, options: readonly string[] = []): void =>
  compile(path, source, [], options);

function compile(path: string, source: string, first: readonly string[], options: readonly string[]): void {
  mkdirSync(dirname(path), { recursive: true });
  const file = `${dirname(path)}/.source.c`;
  writeFileSync(file, source);
  mustRun(["gcc", "-O1", ...first, "-o", path, file, ...options]);
  rmSync(file);
}
