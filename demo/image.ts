import { copyFileSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeDebian } from "../fixtures/rootfs.ts";
import { mustRun, runCommand } from "../fixtures/run/run-command.ts";
import { compileProgram } from "./compile.ts";
import { CUDA, DRIVER } from "./paths.ts";

/** What a container needs to look at itself. */
const PROGRAMS = ["sh", "readlink"];

/** A program that is linked with two injected libraries and finds them by the linker's cache alone. */
const GPU_PROGRAM = `#include <stdio.h>
const char *cuda_driver(void), *cuda_runtime(void);
int main(void) { printf("driver %s, CUDA %s\\n", cuda_driver(), cuda_runtime()); return 0; }
`;

/**
 * Makes an image of Debian's kind out of this machine's shell, libc and ldconfig. It has no driver, but what often
 * is in the driver's way: an empty placeholder and a link that leads nowhere.
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

/** Copies a program and the libraries that it is linked with, to the places where they are here. */
function copyProgram(name: string, rootfs: string): void {
  const program = ["/bin", "/usr/bin"].map((directory) => `${directory}/${name}`).find(existsSync);
  if (program === undefined) throw new Error(`Cannot copy "${name}": there is no such program`);
  copyFileSync(realpathSync(program), join(rootfs, "usr/bin", name));
  // ldd's status is 1 for a static program.
  for (const [, path = ""] of runCommand(["ldd", program]).stdout.matchAll(/(?:=> |^\s*)(\/\S+) \(/gm)) {
    mkdirSync(join(rootfs, dirname(path)), { recursive: true });
    copyFileSync(realpathSync(path), join(rootfs, path));
  }
}
