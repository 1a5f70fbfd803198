import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { run } from "./run.mjs";

/** Compiles a line of C into a shared object with a SONAME. */
export function compileLibrary(path, soname, source, options = []) {
  compile(path, source, ["-shared", "-fPIC", `-Wl,-soname,${soname}`], options);
}

/** Compiles a text of C into a program. */
export const compileProgram = (path, source, options = []) => compile(path, source, [], options);

function compile(path, source, first, options) {
  mkdirSync(dirname(path), { recursive: true });
  const file = `${dirname(path)}/.source.c`;
  writeFileSync(file, source);
  run(["gcc", "-O1", ...first, "-o", path, file, ...options]);
  run(["rm", file]);
}
