import { copyFileSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeDebian } from "../fixtures/rootfs.ts";
import { mustRun, runCommand } from "../fixtures/run/run-command.ts";
import { compileProgram } from "./compile.ts";
import { CUDA, DRIVER } from "./paths.ts";

/** Programs that the container's script runs. */
const PROGRAMS = ["sh", "readlink"];

/** A program that is linked with two injected libraries and finds them only by the linker's cache. */
const GPU_PROGRAM = `#include <stdio.h>
const char *cuda_driver(void), *cuda_runtime(void);
int main(void) { printf("driver %s, CUDA %s\\n", cuda_driver(), cuda_runtime()); return 0; }
`;

/**
 * Makes a Debian-like image from this machine's shell, libc and ldconfig. It has no driver, but two common
 * obstacles: an empty placeholder and a dangling link.
 */
export function makeImage(rootfs: string): void {
  makeDebian(rootfs);
  for (const name of PROGRAMS) copyProgram(name, rootfs);
  const libraries = [`-L${DRIVER}`, `-L${CUDA}/lib64`, "-l:libcuda.so.1", "-l:libcudart.so.12"];
  const link = [...libraries, `-Wl,-rpath-link,${DRIVER}`];
  compileProgram(join(rootfs, "usr/bin/gpu-program"), GPU_PROGRAM, link);
  mkdirSync(rootfs + DRIVER);
  writeFileSync(`${rootfs}${DRIVER}/libcuda.so.1.1`, "");
  symlinkSync("/nowhere", `${rootfs}${DRIVER}/libnvrm_gpu.so`);
  mustRun(["ldconfig", "-r", rootfs]);
}

/** Copies a program and the libraries it is linked with, to the same paths. */
function copyProgram(name: string, rootfs: string): void {
  const program = ["/bin", "/usr/bin"].map((directory) => `${directory}/${name}`).find(existsSync);
  if (program === undefined) throw new Error(`Cannot copy "${name}": the program is not installed`);
  copyFileSync(realpathSync(program), join(rootfs, "usr/bin", name));
  // ldd ends with 1 for a static program.
  for (const [, path = ""] of runCommand(["ldd", program]).stdout.matchAll(/(?:=> |^\s*)(\/\S+) \(/gm)) {
    mkdirSync(join(rootfs, dirname(path)), { recursive: true });
    copyFileSync(realpathSync(path), join(rootfs, path));
  }
}
