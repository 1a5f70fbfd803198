import { copyFileSync, existsSync, realpathSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fetchFromPool } from "../../../build/debian-pool.ts";
import { root as repository } from "../../../build/root.ts";
import { compileCuda } from "../../../fixtures/host/fake-server.ts";
import { makeRootfs } from "../../../fixtures/rootfs.ts";
import { mustRun } from "../../../fixtures/run/run-command.ts";

/** Debian's package of musl, for the machines that the tests run on. */
const PACKAGES: Readonly<Record<string, { readonly pool: string; readonly sha256: string }>> = {
  x64: {
    pool: "pool/main/m/musl/musl_1.2.3-1_amd64.deb",
    sha256: "4fc1e3d9b579f5c682ca99a4d45aec08d72a2e6b82b4c2e1bbcb7095466ae96d",
  },
};

const DIRECTORY = join(repository, ".cache/test/musl");
const MACHINE = process.arch === "arm64" ? "aarch64" : "x86_64";

/** Where musl's dynamic linker is, and the file in which it reads where libraries are. */
const LOADER = `/lib/ld-musl-${MACHINE}.so.1`;
export const MUSL_PATH_FILE = `/etc/ld-musl-${MACHINE}.path`;

/** Fetches musl's dynamic linker, once. @returns its path; `undefined` if no mirror has it. */
export function muslLoader(): string | undefined {
  const loader = join(DIRECTORY, LOADER);
  if (existsSync(loader)) return realpathSync(loader);
  const wanted = PACKAGES[process.arch];
  const file = `${DIRECTORY}.${process.pid}.deb`;
  if (wanted === undefined || !fetchFromPool(wanted.pool, wanted.sha256, file)) return undefined;
  const partial = `${DIRECTORY}.${process.pid}`;
  mustRun(["dpkg-deb", "--extract", file, partial]);
  if (existsSync(DIRECTORY)) mustRun(["rm", "-rf", partial]);
  else renameSync(partial, DIRECTORY);
  return realpathSync(loader);
}

/**
 * Makes an Alpine-like image with musl's dynamic linker, and with `use-cuda`, which musl links to libcuda.so.1 and
 * which prints the driver's number.
 */
export function makeMuslImage(directory: string): void {
  const loader = muslLoader();
  if (loader === undefined) throw new Error("Cannot make an image with musl: no mirror has it");
  makeRootfs(directory, "alpine");
  copyFileSync(loader, join(directory, LOADER));
  copyFileSync(compileForMusl(loader), join(directory, "bin/use-cuda"));
}

const SOURCE = `
int cuda(void);
long write(int, const void *, unsigned long);
void _exit(int);
void _start(void) {
  char text[16];
  int at = sizeof text;
  text[--at] = '\\n';
  for (int rest = cuda(); rest > 0; rest /= 10) text[--at] = '0' + rest % 10;
  write(1, text + at, sizeof text - at);
  _exit(0);
}
`;

/** Compiles the program once, without the headers and the start files of a C library. */
function compileForMusl(loader: string): string {
  const program = join(DIRECTORY, "use-cuda");
  if (existsSync(program)) return program;
  const partial = `${program}.${process.pid}`;
  writeFileSync(`${partial}.c`, SOURCE);
  const options = ["-O1", "-nostdlib", "-fno-stack-protector", `-Wl,--dynamic-linker=${LOADER}`];
  const libraries = [compileCuda().library, "-L", dirname(loader), `-l:${basename(loader)}`];
  mustRun([process.env.CC ?? "gcc", ...options, "-o", partial, `${partial}.c`, ...libraries]);
  renameSync(partial, program);
  return program;
}
