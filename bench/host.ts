/** The measured host: libraries over the real /usr, and a manifest for each number of entries. */
import { copyFileSync, realpathSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { createFakeHost, type FakeHost } from "../fixtures/host/fake-host.ts";
import { MANIFEST_DIRECTORY } from "../fixtures/host/fake-l4t.ts";
import { sharedObject } from "../fixtures/host/shared-object.ts";
import { fileEntry } from "../fixtures/host/tree-entry.ts";
import { makeDebian, TRIPLET } from "../fixtures/rootfs.ts";

const LIBRARIES = "/usr/lib/aarch64-linux-gnu/nvidia";

/** Returns the n-th library's path. Its SONAME is its name, so ldconfig works as hard as for a real one. */
export const library = (index: number): string =>
  `${LIBRARIES}/libnvbench${String(index).padStart(5, "0")}.so.1`;

/** Lays a board with `count` shared objects over the host, only in this mount namespace. */
export function layHost(count: number): FakeHost {
  const libraries = Array.from({ length: count }, (_, index) => library(index));
  const host = createFakeHost([
    ...libraries.map((path) => fileEntry(path, sharedObject(basename(path)), 0o755)),
    fileEntry("/etc/nv_tegra_release", "# R36 (release), REVISION: 4.3\n"),
    { kind: "directory", path: MANIFEST_DIRECTORY },
  ]);
  host.lay();
  return host;
}

/** Lists the first `count` libraries in the host's manifest, and turns ldconfig on or off. */
export function configure(count: number, ldconfig: boolean): void {
  const lines = Array.from({ length: count }, (_, index) => `lib, ${library(index)}\n`);
  writeFileSync(`${MANIFEST_DIRECTORY}/l4t.csv`, lines.join(""));
  writeFileSync("/etc/nvidia-container-runtime/config.toml", `[nvoci]\nldconfig = ${ldconfig}\n`);
}

/** Writes a small Debian-like image: glibc with its libraries and loader, and the linker's configuration. */
export function makeImage(image: string): void {
  makeDebian(image);
  for (const name of ["libm.so.6", "libdl.so.2", "libpthread.so.0"]) {
    copyFileSync(realpathSync(`/lib/${TRIPLET}/${name}`), join(image, `usr/lib/${TRIPLET}`, name));
  }
}
