import { existsSync } from "node:fs";
import { join } from "node:path";
import { fetchFromPool } from "../../../build/debian-pool.ts";
import { root as repository } from "../../../build/root.ts";

/** The oldest dpkg in Debian's pool. */
const OLD_DPKG = {
  pool: "pool/main/d/dpkg/dpkg_1.20.13_amd64.deb",
  sha256: "eb2b7ba3a3c4e905a380045a2d1cd219d2d45755aba5966d6c804b79400beb05",
};

/**
 * Returns the package file of an old dpkg, fetched once; `undefined` if no mirror has it or there is none for this
 * machine.
 */
export function oldDpkg(): string | undefined {
  const file = join(repository, ".cache/test/old-dpkg.deb");
  if (process.arch !== "x64") return undefined;
  return existsSync(file) || fetchFromPool(OLD_DPKG.pool, OLD_DPKG.sha256, file) ? file : undefined;
}

/**
 * Returns shell lines, for a private namespace, that make this machine's own system a root without its
 * `/etc/docker`.
 */
export function copyOfThisSystem(root: string, layer: string): string[] {
  return [
    `mkdir -p "${layer}/upper" "${layer}/work" "${root}"`,
    `mount -t overlay overlay -o "lowerdir=/,upperdir=${layer}/upper,workdir=${layer}/work" "${root}"`,
    ...mounts(root),
    `rm -rf "${root}/etc/docker" "${root}/etc/default/nvoci"`,
  ];
}

/** In `/bin` and `/sbin`, as before the `/usr` merge. */
const BASE =
  "sh tar gzip cat cp mv rm ls mkdir rmdir ln readlink chmod mktemp grep ldconfig start-stop-daemon";
const IN_USR = "find diff dpkg dpkg-deb dpkg-query dpkg-split dpkg-divert dpkg-trigger";

/**
 * Returns shell lines that make a root like Ubuntu 18.04's: `/bin`, `/sbin` and `/lib` are directories, there is
 * no systemd, only a shell, a few programs and dpkg.
 *
 * @param dpkg the package file of another dpkg than this machine's.
 */
export function oldSystem(root: string, dpkg?: string): string[] {
  return [
    `mkdir -p "${root}"`,
    `mount -t tmpfs tmpfs "${root}"`,
    `cd "${root}"`,
    "mkdir -p bin sbin lib lib64 usr/bin usr/sbin usr/lib usr/share etc tmp proc dev var/lib/dpkg/info var/lib/dpkg/updates",
    ": >var/lib/dpkg/status",
    // A library of /usr/lib that this machine's linker names by /lib goes to /lib.
    `copy() { cp -L "$1" "$2"; ldd "$1" 2>/dev/null | grep -o '/[^ ]*' | while read -r file; do
       file=\${file#/usr}; mkdir -p ".\${file%/*}"; cp -L "$file" ".$file"; done; }`,
    `for name in ${BASE}; do copy "$(command -v "$name")" bin/; done`,
    "mv bin/ldconfig bin/start-stop-daemon sbin/",
    `for name in ${IN_USR}; do copy "$(command -v "$name")" usr/bin/; done`,
    ...(dpkg === undefined ? [] : [`dpkg-deb --extract "${dpkg}" .`]),
    "cd /",
    ...mounts(root),
  ];
}

const mounts = (root: string): string[] => [
  `mount -t proc proc "${root}/proc"`,
  `mount -t tmpfs tmpfs "${root}/tmp"`,
  `mount -t tmpfs tmpfs "${root}/dev"`,
  `mknod -m 666 "${root}/dev/null" c 1 3`,
];
