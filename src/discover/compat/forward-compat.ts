import { type CudaNote, cudaNote, readNotes } from "../../elf/driver-notes.ts";
import { type ReadAt, readElf } from "../../elf/read-elf.ts";
import { ignorable, NvociError } from "../../model/errors.ts";
import { type ContainerPath, containerPath } from "../../model/paths.ts";
import type { ImageView } from "../../model/views.ts";
import { compareVersions, type VersionFact } from "../../request/requirements.ts";
import { quote } from "../../text/quote.ts";

/** The libcuda that an image contains for hosts with an older driver. */
interface CompatLibrary {
  /** `libcuda.so.575.57.08`. */
  readonly fileName: string;
  /** The library's description of itself; old ones have none. */
  readonly note: CudaNote | undefined;
}

/**
 * Matches `libcuda.so.575.57.08`, and `libcuda.so.1.1` on Orin, but not the links `libcuda.so` and `libcuda.so.1`.
 */
export const LIBCUDA = /^libcuda\.so\.[^.]+\../;

/** Ten times the headers and notes of a real library. The image decides how much there is to read. */
const MAX_BYTES = 128 * 1024;
/** Real directories have about a dozen names. */
const MAX_NAMES = 4096;

/**
 * Finds the libcuda that an image contains for hosts with an older driver, and reads its note.
 * {@link prefersCompat} decides whether to use it.
 *
 * @param directory the library's directory, see {@link compatDirectory}.
 * @returns `undefined` unless the directory has exactly one such file and the file can be read.
 */
export function readCompat(image: ImageView, directory: ContainerPath): CompatLibrary | undefined {
  try {
    const files: string[] = [];
    for (const name of image.readDirectory(directory, MAX_NAMES)) {
      if (!LIBCUDA.test(name)) continue;
      // Only a regular file: links are not followed.
      if (image.type(containerPath(`${directory}/${name}`), "itself") === "file") files.push(name);
      if (files.length > 1) return undefined;
    }
    const [fileName] = files;
    if (fileName === undefined) return undefined;
    const reader = boundedReader(image, containerPath(`${directory}/${fileName}`));
    return { fileName, note: cudaNote(readNotes(readElf(fileName, reader))) };
  } catch (error) {
    // Nothing to report: the library is the image's, and a program that loads it gets its own error.
    ignorable(error);
    return undefined;
  }
}

const NOTHING = new Uint8Array(0);

function boundedReader(image: ImageView, path: ContainerPath): ReadAt {
  let left = MAX_BYTES;
  return (offset, length) => {
    left -= length;
    if (left < 0) {
      throw new NvociError(
        "file-invalid",
        `Cannot read ${quote(path, 4096)}: its headers and notes are too large`,
      );
    }
    return image.readRange(path, offset, length) ?? NOTHING;
  };
}

/** The versions of a host's driver. */
interface HostDriver {
  /** Version of the kernel modules; `undefined` on a board, whose libraries have other versions. */
  readonly driver: string | undefined;
  /** CUDA version of the host's libcuda; called only when it decides. */
  readonly cuda: () => VersionFact | undefined;
}

const branchOf = (version: string): number => Number.parseInt(version, 10);

const COMPAT_VERSION = /^libcuda\.so\.(\d{1,5}(?:\.\d{1,5}){1,3})$/;

/**
 * Reports whether to prefer an image's libcuda to the host's: it must work with the host's kernel modules, and be
 * newer. Nothing is ever mounted from an image.
 *
 * A note must list the host's branch, and the library must be newer than the host's driver. If one of these versions is
 * unknown, the CUDA versions decide. Without a note, the library's branch must be newer than the host's.
 *
 * @see https://github.com/NVIDIA/nvidia-container-toolkit cmd/nvidia-cdi-hook/cudacompat of 1.20
 */
export function prefersCompat({ fileName, note }: CompatLibrary, host: HostDriver): boolean {
  const version = COMPAT_VERSION.exec(fileName)?.[1];
  if (host.driver !== undefined) {
    const branch = branchOf(host.driver);
    if (note === undefined) return version !== undefined && branchOf(version) > branch;
    if (!note.drivers.includes(branch)) return false;
    if (version !== undefined) return compareVersions(version, host.driver) > 0;
  }
  if (note === undefined) return false;
  const cuda = host.cuda();
  // If the host's version may be newer than the image's, its own library is the safe choice.
  return cuda !== undefined && !cuda.orNewer && compareVersions(note.cudaVersion, cuda.version) > 0;
}
