import { libraryDirectories } from "../../discover/library-places.ts";
import { readDynamic } from "../../elf/elf-dynamic.ts";
import { readElf } from "../../elf/read-elf.ts";
import { compareVersions, highestVersion, readLinkage } from "../../elf/read-linkage.ts";
import { attempt, NvociError } from "../../model/errors.ts";
import type { Machine } from "../../model/machine.ts";
import { type ContainerPath, containerPath, type HostPath } from "../../model/paths.ts";
import type { Need, VersionNeed } from "../../model/verdict.ts";
import type { HostView, ImageView } from "../../model/views.ts";
import type { Operation } from "../../plan/operation.ts";
import { findGiving } from "./match-name.ts";

const NOTHING = new Uint8Array(0);

/** More than any library of the driver needs. */
const MAX_LIBRARIES = 256;

/** Families of symbol versions, and the image's library that has them. */
const FAMILIES: readonly { readonly family: string; readonly library: string }[] = [
  { family: "GLIBC", library: "libc.so.6" },
  { family: "GLIBCXX", library: "libstdc++.so.6" },
];

/** What a library of the driver needs of the driver and of the image. */
export interface LinkedLibraries {
  /** All that it needs, and what these need, each once. */
  readonly needs: readonly Need[];
  /** The highest version of each family that any of the driver's libraries among them wants. */
  readonly versions: readonly VersionNeed[];
}

/** What to look through. */
interface LinkInput {
  readonly host: HostView;
  readonly machine: Machine;
  readonly operations: readonly Operation[];
  /** `undefined` when no image is given, so that it is not known what it has. */
  readonly image: ImageView | undefined;
}

/**
 * Follows the needs of a library, through the driver's libraries that the container gets. The image's own libraries are
 * looked up and not followed.
 */
export function linkedLibraries(input: LinkInput, start: HostPath): LinkedLibraries {
  const { host, image, operations, machine } = input;
  const needs = new Map<string, Need["from"]>();
  const wanted: { readonly by: string; readonly names: readonly string[] }[] = [];
  const queue: { readonly name: string; readonly path: HostPath }[] = [{ name: start, path: start }];
  for (const { name: by, path } of queue) {
    const elf = attempt(() =>
      readElf(path, (offset, length) => host.readRange(path, offset, length) ?? NOTHING),
    );
    if (elf instanceof NvociError) continue;
    const names = attempt(() => readLinkage(elf).needs);
    if (!(names instanceof NvociError)) wanted.push({ by, names });
    const needed = attempt(() => readDynamic(elf).needed);
    for (const name of needed instanceof NvociError ? [] : needed) {
      if (needs.has(name) || needs.size >= MAX_LIBRARIES) continue;
      const given = findGiving(host, operations, name)?.operation;
      needs.set(name, given === undefined ? ofImage(image, machine, name) : "driver");
      if (given?.op === "bind-file") queue.push({ name, path: given.hostPath });
    }
  }
  return {
    needs: [...needs].map(([name, from]) => ({ name, from })),
    versions: FAMILIES.flatMap(({ family, library }) => {
      const [highest] = wanted
        .flatMap(({ by, names }) => {
          const version = highestVersion(family, names);
          return version === undefined ? [] : [{ by, version }];
        })
        .sort((a, b) => compareNames(b.version, a.version));
      if (highest === undefined) return [];
      return [{ family, wanted: highest.version, by: highest.by, has: versionOf(input, library, family) }];
    }),
  };
}

/** Compares `GLIBC_2.4` and `GLIBC_2.34`. */
export const compareNames = (a: string, b: string): number =>
  compareVersions(a.slice(a.indexOf("_") + 1), b.slice(b.indexOf("_") + 1));

/** Directories that every dynamic linker searches, and those of distributions. */
const imageDirectories = (image: ImageView, machine: Machine): readonly string[] => [
  ...new Set([
    libraryDirectories(image, machine)[64],
    `/lib/${machine.triplet}`,
    `/usr/lib/${machine.triplet}`,
    ...["/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"],
  ]),
];

/** Finds a library of the image in the directories of libraries. */
const findInImage = (image: ImageView, machine: Machine, name: string): ContainerPath | undefined =>
  imageDirectories(image, machine)
    .map((directory) => containerPath(`${directory}/${name}`))
    .find((path) => image.type(path) === "file");

const ofImage = (image: ImageView | undefined, machine: Machine, name: string): Need["from"] =>
  image === undefined ? "unknown" : findInImage(image, machine, name) === undefined ? "nowhere" : "image";

/** Returns the highest version that the image's library has: `none` without the library, or if it cannot be read. */
function versionOf({ image, machine }: LinkInput, library: string, family: string): string | undefined {
  if (image === undefined) return undefined;
  const path = findInImage(image, machine, library);
  if (path === undefined) return "none";
  const names = attempt(
    () =>
      readLinkage(readElf(path, (offset, length) => image.readRange(path, offset, length) ?? NOTHING))
        .defines,
  );
  return names instanceof NvociError ? "none" : (highestVersion(family, names) ?? "none");
}
