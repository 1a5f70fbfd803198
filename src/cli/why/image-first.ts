import { readElf } from "../../elf/read-elf.ts";
import { readLinkage } from "../../elf/read-linkage.ts";
import { attempt, NvociError } from "../../model/errors.ts";
import { basename, type ContainerPath, containerPath, dirname } from "../../model/paths.ts";
import { type Verdict, verdict } from "../../model/verdict.ts";
import type { ImageView } from "../../model/views.ts";
import type { Operation } from "../../plan/operation.ts";

const NOTHING = new Uint8Array(0);

/** What decides which of two libraries with one name a program loads. */
interface SearchInput {
  readonly image: ImageView;
  readonly env: readonly string[];
  readonly operations: readonly Operation[];
  /** A program of the image, whose RPATH counts. */
  readonly program: ContainerPath | undefined;
}

/**
 * Finds the image's own file that the dynamic linker takes instead of a given one: in the directories of the program's
 * RPATH, then of LD_LIBRARY_PATH, then of CUDA's forward compatibility, which all come before the cache.
 *
 * @param given the path of the driver's library in the container.
 * @param name the name by which programs load it.
 * @see ld.so(8)
 */
export function imageFirst(input: SearchInput, given: string, name: string): Verdict | undefined {
  const { image, env, operations, program } = input;
  const variable = env
    .find((entry) => entry.startsWith("LD_LIBRARY_PATH="))
    ?.slice("LD_LIBRARY_PATH=".length);
  const compat = operations.flatMap((operation) =>
    operation.op === "update-ldcache" && operation.compatFolder !== undefined ? [operation.compatFolder] : [],
  );
  const places = [
    { by: "RPATH", directories: program === undefined ? [] : searchPathOf(image, program) },
    { by: "LD_LIBRARY_PATH", directories: variable?.split(/[:;]/) ?? [] },
    { by: "compat", directories: compat },
  ] as const;
  for (const { by, directories } of places) {
    for (const directory of directories) {
      if (!directory.startsWith("/") || containerPath(directory) === dirname(given)) continue;
      const path = containerPath(`${directory}/${basename(name)}`);
      const isOurs = operations.some((operation) => "path" in operation && operation.path === path);
      if (!isOurs && image.type(path) === "file")
        return verdict("image-wins", { path: given, instead: path, by });
    }
  }
  return undefined;
}

/** Returns the directories of a program's RPATH or RUNPATH. */
function searchPathOf(image: ImageView, program: ContainerPath): readonly string[] {
  const linkage = attempt(() =>
    readLinkage(readElf(program, (offset, length) => image.readRange(program, offset, length) ?? NOTHING)),
  );
  if (linkage instanceof NvociError) throw linkage;
  return linkage.searchPath.map((directory) =>
    directory.replace(/\$(?:ORIGIN|\{ORIGIN\})/g, dirname(program)),
  );
}
