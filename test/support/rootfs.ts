import { copyFileSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { mustRun } from "./run-command.ts";

/**
 * What kind of image a container has.
 *
 * - `busybox`: a static shell, nothing about libraries at all.
 * - `alpine`: the same with Alpine's marks; no ldconfig(8).
 * - `debian`: glibc, a merged /usr with a multiarch directory, ldconfig(8) with its configuration, one program that
 *   is linked dynamically (`/usr/bin/true`).
 */
export type RootfsKind = "busybox" | "alpine" | "debian";

/** The multiarch name of the machine that the tests run on. */
export const TRIPLET = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";

/** What the kernel starts programs with that need glibc. */
export const LOADER = process.arch === "arm64" ? "/lib/ld-linux-aarch64.so.1" : "/lib64/ld-linux-x86-64.so.2";

const DIRECTORIES = [
  ...["etc", "proc", "sys", "dev", "tmp", "run", "var", "root"],
  ...["usr/bin", "usr/sbin", "usr/lib"],
];

const makeDirectories = (directory: string): void => {
  for (const name of DIRECTORIES) mkdirSync(join(directory, name), { recursive: true });
};

/** Writes an image's root file system into a directory: about 2 MB, 6 MB for `debian`. It needs static busybox. */
export function makeRootfs(directory: string, kind: RootfsKind): void {
  if (kind === "debian") makeDebian(directory);
  else {
    makeDirectories(directory);
    for (const name of ["bin", "sbin", "lib"]) mkdirSync(join(directory, name));
    if (kind === "alpine") makeAlpine(directory);
  }
  copyFileSync("/bin/busybox", join(directory, "bin/busybox"));
  mustRun(["chroot", directory, "/bin/busybox", "--install", "-s", "/bin"]);
}

function makeAlpine(directory: string): void {
  writeFileSync(join(directory, "etc/alpine-release"), "3.20.0\n");
  writeFileSync(join(directory, "etc/os-release"), "ID=alpine\n");
}

/** Writes the `debian` image without busybox: it has no shell. */
export function makeDebian(directory: string): void {
  makeDirectories(directory);
  for (const name of ["bin", "sbin", "lib"]) symlinkSync(`usr/${name}`, join(directory, name));
  writeFileSync(join(directory, "etc/debian_version"), "12.5\n");
  writeFileSync(join(directory, "etc/os-release"), "ID=debian\n");
  mkdirSync(join(directory, "etc/ld.so.conf.d"));
  writeFileSync(join(directory, "etc/ld.so.conf"), "include /etc/ld.so.conf.d/*.conf\n");
  const libraries = `/usr/lib/${TRIPLET}`;
  writeFileSync(join(directory, `etc/ld.so.conf.d/${TRIPLET}.conf`), `/lib/${TRIPLET}\n${libraries}\n`);
  mkdirSync(join(directory, libraries));
  copyFileSync(realpathSync(`/lib/${TRIPLET}/libc.so.6`), join(directory, libraries, "libc.so.6"));
  const loader = realpathSync(LOADER);
  copyFileSync(loader, join(directory, libraries, basename(loader)));
  if (LOADER.startsWith("/lib64")) {
    mkdirSync(join(directory, "usr/lib64"));
    symlinkSync("usr/lib64", join(directory, "lib64"));
  }
  symlinkSync(`${libraries}/${basename(loader)}`, join(directory, LOADER));
  copyFileSync(realpathSync("/bin/true"), join(directory, "usr/bin/true"));
  for (const name of ["ldconfig", "ldconfig.real"]) {
    const program = `/usr/sbin/${name}`;
    if (existsSync(program)) copyFileSync(program, join(directory, program));
  }
  mustRun(["chroot", directory, "/sbin/ldconfig"]);
}
