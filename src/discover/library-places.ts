import type { Machine, Triplet } from "../model/machine.ts";
import { type ContainerPath, containerPath } from "../model/paths.ts";
import type { ImageView } from "../model/views.ts";

/**
 * Reports whether ldconfig(8) would read a file of this name, such as `libx.so` or `libx.so.1`. Runs for every
 * file: a regular expression takes seven times as long.
 */
export const isLibraryName = (name: string): boolean =>
  (name.startsWith("lib") || name.startsWith("ld-")) && (name.endsWith(".so") || name.includes(".so."));

/** Library directories of hosts that are not like Debian. */
const FLAT_DIRECTORIES: readonly string[] = ["/usr/lib/", "/usr/lib64/"];

/**
 * Reports whether a host's root file system keeps libraries in `/usr/lib/TRIPLET`, as Debian and its derivatives
 * do.
 *
 * @param exists reports whether an absolute path of that root exists; called at most three times.
 * @see https://wiki.debian.org/Multiarch
 */
export function isDebianLike(exists: (path: string) => boolean, triplet: Triplet): boolean {
  return (
    exists("/etc/debian_version") ||
    exists(`/usr/lib/${triplet}/libc.so.6`) ||
    exists(`/lib/${triplet}/libc.so.6`)
  );
}

const isDebianImage = (image: ImageView): boolean =>
  image.type(containerPath("/etc/debian_version")) === "file";

/** Reports whether an image looks for libraries in `/usr/lib/TRIPLET`. Any image that has the directory does. */
export const looksInMultiarch = (image: ImageView, { triplet }: Machine): boolean =>
  isDebianImage(image) || image.type(containerPath(`/usr/lib/${triplet}`)) === "directory";

/**
 * Finds the file in which musl's dynamic linker reads where libraries are, instead of in ld.so.cache. It need not
 * exist.
 *
 * @returns `undefined` for an image without musl, and for Debian and its derivatives, whose programs use glibc even if
 * the package `musl` is installed. A multiarch directory does not count: earlier starts may have made it.
 * @see ldso/dynlink.c of musl
 */
export function muslPathFile(image: ImageView, machine: Machine): ContainerPath | undefined {
  const loader = containerPath(`/lib/ld-musl-${machine.name}.so.1`);
  if (image.type(loader) !== "file" || isDebianImage(image)) return undefined;
  return containerPath(`/etc/ld-musl-${machine.name}.path`);
}

/**
 * Moves a path below `/usr/lib` or `/usr/lib64` to the same place below `/usr/lib/TRIPLET`. Returns any other path
 * unchanged.
 *
 * @param path absolute and normal.
 */
export function toMultiarch(path: string, triplet: Triplet): string {
  const flat = FLAT_DIRECTORIES.find((directory) => path.startsWith(directory));
  if (flat === undefined) return path;
  const rest = path.slice(flat.length);
  return `${rest}/`.startsWith(`${triplet}/`) ? path : `/usr/lib/${triplet}/${rest}`;
}

/** Directories that an image's dynamic linker searches for 64-bit and for 32-bit libraries. */
export interface LibraryDirectories {
  readonly 64: ContainerPath;
  readonly 32: ContainerPath;
}

/** Finds the directories of an image that receive the driver's libraries. */
export function libraryDirectories(image: ImageView, machine: Machine): LibraryDirectories {
  if (looksInMultiarch(image, machine)) {
    return {
      64: containerPath(`/usr/lib/${machine.triplet}`),
      32: containerPath(`/usr/lib/${machine.compat32.triplet}`),
    };
  }
  const [lib, lib32, lib64] = ["/usr/lib", "/usr/lib32", "/usr/lib64"].map(containerPath) as [
    ContainerPath,
    ContainerPath,
    ContainerPath,
  ];
  // If /usr/lib is not /usr/lib64, it is for 32-bit libraries.
  const isSeparate = image.type(lib) === "directory" && image.identity(lib) !== image.identity(lib64);
  return { 64: lib64, 32: isSeparate && image.type(lib32) !== "directory" ? lib : lib32 };
}
