import type { Config } from "../../config/config.ts";
import { type CudaNote, cudaNote, readNotes } from "../../elf/driver-notes.ts";
import { type ReadAt, readElf } from "../../elf/read-elf.ts";
import { ignorable, NvociError } from "../../model/errors.ts";
import { type ContainerPath, containerPath, hostPath } from "../../model/paths.ts";
import { type HostView, type ImageView, readText } from "../../model/views.ts";
import { compareVersions } from "../../request/requirements.ts";
import { quote } from "../../text/quote.ts";

/** The libcuda that an image contains for hosts with an older driver. */
interface CompatLibrary {
  /** `libcuda.so.575.57.08`. */
  readonly fileName: string;
  /** The library's description of itself; old ones have none. */
  readonly note: CudaNote | undefined;
}

const CUDA_COMPAT = containerPath("/usr/local/cuda/compat");
const CUDA_COMPAT_ORIN = containerPath("/usr/local/cuda/compat_orin");

/** The board's names for its type, each followed by a NUL. @see Devicetree Specification, "compatible" */
const COMPATIBLE_FILE = hostPath("/proc/device-tree/compatible");
const ORIN = "nvidia,tegra234";

/**
 * Returns the directory in which images keep a newer libcuda for this host. Orin has a separate one; the
 * configuration overrides both.
 */
export function compatDirectory(host: HostView, config: Config): ContainerPath {
  const configured = config.nvidiaContainerRuntime.modes.csv.compatContainerRoot;
  if (configured !== undefined) return configured;
  const names = (readText(host, COMPATIBLE_FILE) ?? "").split("\0");
  return names.includes(ORIN) ? CUDA_COMPAT_ORIN : CUDA_COMPAT;
}

/**
 * Matches `libcuda.so.575.57.08`, and `libcuda.so.1.1` on Orin, but not the links `libcuda.so` and `libcuda.so.1`.
 */
const LIBCUDA = /^libcuda\.so\.[^.]+\../;

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

/**
 * Reports whether to prefer an image's libcuda to the host's: it must work with the host's kernel modules and
 * provide a newer CUDA. Nothing is ever mounted from an image.
 *
 * @param driverVersion version of the host's kernel modules.
 * @param cudaVersion CUDA version of the host's libcuda.
 * @see https://docs.nvidia.com/deploy/cuda-compatibility/forward-compatibility.html
 */
export function prefersCompat(
  library: CompatLibrary,
  driverVersion: string,
  cudaVersion: string | undefined,
): boolean {
  const major = Number.parseInt(driverVersion, 10);
  const { note } = library;
  if (note !== undefined && cudaVersion !== undefined) {
    const works = note.drivers.length === 0 || note.drivers.includes(major);
    return works && compareVersions(note.cudaVersion, cudaVersion) > 0;
  }
  const own = /^libcuda\.so\.(\d{1,5})\./.exec(library.fileName);
  return own !== null && Number(own[1]) > major;
}
