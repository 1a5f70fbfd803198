import { copyFileSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { compileProgram } from "./compile.mjs";
import { CUDA, DRIVER, TRIPLET } from "./paths.mjs";
import { attempt, run } from "./run.mjs";

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
export function makeImage(rootfs) {
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    mkdirSync(join(rootfs, "usr", name), { recursive: true });
    symlinkSync(`usr/${name}`, join(rootfs, name));
  }
  for (const name of ["dev", "proc", "sys", "tmp", "etc", "var/cache/ldconfig", `usr/lib/${TRIPLET}`]) {
    mkdirSync(join(rootfs, name), { recursive: true });
  }
  writeFileSync(join(rootfs, "etc/debian_version"), "12.5\n");
  writeFileSync(join(rootfs, "etc/ld.so.conf"), `/usr/lib/${TRIPLET}\n`);
  for (const name of PROGRAMS) copyProgram(name, rootfs);
  const ldconfig = existsSync("/sbin/ldconfig.real") ? "/sbin/ldconfig.real" : "/sbin/ldconfig";
  copyFileSync(realpathSync(ldconfig), join(rootfs, "usr/sbin/ldconfig"));
  const libraries = [`-L${DRIVER}`, `-L${CUDA}/lib64`, "-l:libcuda.so.1", "-l:libcudart.so.12"];
  const link = [...libraries, `-Wl,-rpath-link,${DRIVER}`];
  compileProgram(join(rootfs, "usr/bin/gpu-program"), GPU_PROGRAM, link);
  mkdirSync(rootfs + DRIVER);
  writeFileSync(`${rootfs}${DRIVER}/libcuda.so.1.1`, "");
  symlinkSync("/nowhere", `${rootfs}${DRIVER}/libnvrm_gpu.so`);
  run(["ldconfig", "-r", rootfs]);
}

/** Copies a program and the libraries that it is linked with, to the places where they are here. */
function copyProgram(name, rootfs) {
  const program = ["/bin", "/usr/bin"].map((directory) => `${directory}/${name}`).find(existsSync);
  copyFileSync(realpathSync(program), join(rootfs, "usr/bin", name));
  // ldd's status is 1 for a static program.
  for (const [, path] of attempt(["ldd", program]).stdout.matchAll(/(?:=> |^\s*)(\/\S+) \(/gm)) {
    mkdirSync(join(rootfs, dirname(path)), { recursive: true });
    copyFileSync(realpathSync(path), join(rootfs, path));
  }
}
