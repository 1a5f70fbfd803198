// The host that is measured on: libraries laid over the real /usr, and a file /etc for each number of entries.

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const LIBRARIES = "/usr/lib/aarch64-linux-gnu/nvidia";
const MANIFESTS = "/etc/nvidia-container-runtime/host-files-for-container.d";
const SONAME = "libnvbench00000.so.1";

/** Runs a command that has to work. */
export function must(...argv) {
  const { status, stdout, stderr, error } = spawnSync(argv[0], argv.slice(1), { encoding: "utf8" });
  if (status !== 0) throw new Error(`Cannot run "${argv.join(" ")}": ${error?.message ?? stderr.trim()}`);
  return stdout;
}

/** The n-th library's path. Its SONAME is its name, so ldconfig has as much to do as with real ones. */
export const library = (index) => `${LIBRARIES}/libnvbench${String(index).padStart(5, "0")}.so.1`;

/** Lays `count` shared objects and an empty configuration over the host, in this mount namespace only. */
export function makeHost(directory, count) {
  const layer = join(directory, "layer");
  mkdirSync(join(layer, LIBRARIES), { recursive: true });
  mkdirSync(join(layer, MANIFESTS), { recursive: true });
  const template = join(directory, "template.so");
  const link = ["-shared", "-nostdlib", "-s", `-Wl,-soname,${SONAME}`, "-x", "c", "/dev/null"];
  must("gcc", ...link, "-o", template);
  const bytes = readFileSync(template, "latin1");
  for (let index = 0; index < count; index++) {
    const path = library(index);
    writeFileSync(join(layer, path), bytes.replaceAll(SONAME, basename(path)), "latin1");
  }
  writeFileSync(join(layer, "etc/nv_tegra_release"), "# R36 (release), REVISION: 4.3\n");
  for (const top of ["usr", "etc"]) {
    const [upper, work] = ["upper", "work"].map((name) => join(directory, name, top));
    mkdirSync(upper, { recursive: true });
    mkdirSync(work, { recursive: true });
    const options = `lowerdir=${layer}/${top}:/${top},upperdir=${upper},workdir=${work}`;
    must("mount", "-t", "overlay", "overlay", "-o", options, `/${top}`);
  }
}

/** Makes the host's manifest list its first `count` libraries, and turns ldconfig on or off. */
export function configure(count, ldconfig) {
  const lines = Array.from({ length: count }, (_, index) => `lib, ${library(index)}\n`);
  writeFileSync(`${MANIFESTS}/l4t.csv`, lines.join(""));
  writeFileSync("/etc/nvidia-container-runtime/config.toml", `[nvoci]\nldconfig = ${ldconfig}\n`);
}

/** Writes a small Debian-like image: glibc, its loader, the linker's configuration. */
export function makeImage(image) {
  const triplet = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  const libraries = `usr/lib/${triplet}`;
  for (const name of [libraries, "etc/ld.so.conf.d", "dev", "proc", "tmp", "usr/bin", "usr/sbin"]) {
    mkdirSync(join(image, name), { recursive: true });
  }
  for (const name of ["bin", "sbin", "lib"]) symlinkSync(`usr/${name}`, join(image, name));
  for (const name of ["libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0"]) {
    copyFileSync(realpathSync(`/lib/${triplet}/${name}`), join(image, libraries, name));
  }
  writeFileSync(join(image, "etc/debian_version"), "12.5\n");
  writeFileSync(join(image, "etc/ld.so.conf"), "include /etc/ld.so.conf.d/*.conf\n");
  writeFileSync(join(image, `etc/ld.so.conf.d/${triplet}.conf`), `/lib/${triplet}\n/${libraries}\n`);
}
