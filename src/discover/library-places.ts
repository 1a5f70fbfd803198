import type { Machine, Triplet } from "../model/machine.ts";
import { type ContainerPath, containerPath } from "../model/paths.ts";
import type { ImageView } from "../model/views.ts";

/**
 * `libx.so` and `libx.so.1`, as ldconfig(8) picks the files that it looks into. Asked for every file: a regular
 * expression takes seven times as long.
 */
export const isLibraryName = (name: string): boolean =>
  (name.startsWith("lib") || name.startsWith("ld-")) && (name.endsWith(".so") || name.includes(".so."));

/** Where hosts that are not like Debian keep their libraries. */
const FLAT_DIRECTORIES: readonly string[] = ["/usr/lib/", "/usr/lib64/"];

/**
 * Whether a host's root file system keeps libraries in `/usr/lib/TRIPLET`, as Debian and its kin do.
 *
 * @param exists whether something is at an absolute path of that root; asked three times at most.
 * @see https://wiki.debian.org/Multiarch
 */
export function isDebianLike(exists: (path: string) => boolean, triplet: Triplet): boolean {
  return (
    exists("/etc/debian_version") ||
    exists(`/usr/lib/${triplet}/libc.so.6`) ||
    exists(`/lib/${triplet}/libc.so.6`)
  );
}

/** Whether an image looks for libraries in `/usr/lib/TRIPLET`. One that has the directory does, whatever it is. */
export const looksInMultiarch = (image: ImageView, { triplet }: Machine): boolean =>
  image.type(containerPath("/etc/debian_version")) === "file" ||
  image.type(containerPath(`/usr/lib/${triplet}`)) === "directory";

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

/** Where an image's dynamic linker looks for libraries of the machine's own width, and for 32-bit ones. */
export interface LibraryDirectories {
  readonly 64: ContainerPath;
  readonly 32: ContainerPath;
}

/** Finds the directories of an image that the driver's libraries go to. */
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
  // Where /usr/lib is a place of its own, it is for libraries of the other width.
  const isSeparate = image.type(lib) === "directory" && image.identity(lib) !== image.identity(lib64);
  return { 64: lib64, 32: isSeparate && image.type(lib32) !== "directory" ? lib : lib32 };
}
