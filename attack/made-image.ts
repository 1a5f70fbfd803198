import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sharedObject } from "../fixtures/host/shared-object.ts";
import { writeTree } from "../fixtures/host/tree-entry.ts";
import { LOADER, TRIPLET } from "../fixtures/rootfs.ts";
import { mustRun } from "../fixtures/run/run-command.ts";

/** Makes files that links of an image could lead to, with the names that the hook writes. */
export function makeCanary(directory: string): void {
  mkdirSync(directory);
  const secrets = ["secret", "lib/libcuda.so.1.1", "etc/ld.so.cache", "etc/nvpmodel.conf"];
  const below = ["usr/lib/aarch64-linux-gnu/nvidia/libcuda.so.1.1", "usr/lib/aarch64-linux-gnu/libnvv4l2.so"];
  for (const path of [...secrets, ...below]) {
    writeTree(directory, [{ kind: "file", path: `/${path}`, content: `secret ${path}` }]);
  }
}

/** Makes a small Debian-like image whose libc is only a name. */
export function makeImage(rootfs: string): void {
  const libraries = `/usr/lib/${TRIPLET}`;
  const directories = [
    "dev",
    "proc",
    "sys",
    "tmp",
    "run",
    "var/cache",
    "opt",
    "usr/bin",
    "usr/sbin",
    "usr/lib64",
  ];
  for (const name of directories) mkdirSync(join(rootfs, name), { recursive: true });
  writeTree(rootfs, [
    ...["lib", "bin", "sbin", "lib64"].map(
      (name) => ({ kind: "link", path: `/${name}`, target: `usr/${name}` }) as const,
    ),
    { kind: "file", path: "/etc/debian_version", content: "12.5\n" },
    { kind: "file", path: "/etc/os-release", content: "ID=debian\n" },
    { kind: "file", path: "/etc/ld.so.conf", content: "include /etc/ld.so.conf.d/*.conf\n" },
    { kind: "file", path: `/etc/ld.so.conf.d/${TRIPLET}.conf`, content: `/lib/${TRIPLET}\n${libraries}\n` },
    { kind: "file", path: `${libraries}/libc.so.6`, content: sharedObject("libc.so.6") },
    { kind: "file", path: `${libraries}/libz.so.1.2`, content: sharedObject("libz.so.1") },
    { kind: "link", path: `${libraries}/libz.so.1`, target: "libz.so.1.2" },
    {
      kind: "file",
      path: "/usr/lib/aarch64-linux-gnu/libother.so.1",
      content: sharedObject("libother.so.1"),
    },
  ]);
  copyFileSync("/bin/true", join(rootfs, "usr/bin/true"));
  writeFileSync(join(rootfs, LOADER.replace("/lib", "/usr/lib")), "");
  mustRun(["ldconfig", "-r", rootfs]);
}
