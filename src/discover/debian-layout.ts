/** Debian's name for a processor and its ABI; libraries lie in a directory of that name. */
export type Triplet = "aarch64-linux-gnu" | "x86_64-linux-gnu";

/** The triplet of a machine type. */
export const tripletOf = (arch: "x64" | "arm64"): Triplet =>
  arch === "x64" ? "x86_64-linux-gnu" : "aarch64-linux-gnu";

/** Where the hosts that are not like Debian keep their libraries. */
const FLAT_DIRECTORIES: readonly string[] = ["/usr/lib/", "/usr/lib64/"];

/**
 * Tells whether a root file system looks for libraries in `/usr/lib/TRIPLET`, as Debian and its kin do.
 *
 * @param exists whether something lies at an absolute path of that root; asked three times at most.
 * @see https://wiki.debian.org/Multiarch
 */
export function isDebianLike(exists: (path: string) => boolean, triplet: Triplet): boolean {
  return (
    exists("/etc/debian_version") ||
    exists(`/usr/lib/${triplet}/libc.so.6`) ||
    exists(`/lib/${triplet}/libc.so.6`)
  );
}

/**
 * Moves a path below `/usr/lib` or `/usr/lib64` to the same place below `/usr/lib/TRIPLET`; any other path stays.
 *
 * @param path absolute and normal.
 */
export function toMultiarch(path: string, triplet: Triplet): string {
  const flat = FLAT_DIRECTORIES.find((directory) => path.startsWith(directory));
  if (flat === undefined) return path;
  const rest = path.slice(flat.length);
  return `${rest}/`.startsWith(`${triplet}/`) ? path : `/usr/lib/${triplet}/${rest}`;
}
