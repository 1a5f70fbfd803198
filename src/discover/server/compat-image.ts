import type { Config } from "../../config/config.ts";
import { type CudaNote, cudaNote, readNotes } from "../../elf/driver-notes.ts";
import { type ReadAt, readElf } from "../../elf/read-elf.ts";
import { ignorable, NvociError } from "../../model/errors.ts";
import { type ContainerPath, containerPath, hostPath } from "../../model/paths.ts";
import { type HostView, type ImageView, readText } from "../../model/views.ts";
import { compareVersions } from "../../request/requirements.ts";
import { quote } from "../../text/quote.ts";

/** The libcuda that an image brings along for hosts with an older driver. */
interface CompatLibrary {
  /** `libcuda.so.575.57.08`. */
  readonly fileName: string;
  /** What it says of itself; old ones say nothing. */
  readonly note: CudaNote | undefined;
}

const CUDA_COMPAT = containerPath("/usr/local/cuda/compat");
const CUDA_COMPAT_ORIN = containerPath("/usr/local/cuda/compat_orin");

/** The boards' own names for what they are, each with a NUL behind it. @see Devicetree Specification, "compatible" */
const COMPATIBLE_FILE = hostPath("/proc/device-tree/compatible");
const ORIN = "nvidia,tegra234";

/** Where images have a newer libcuda for this host: Orin's has a place of its own, and the configuration decides. */
export function compatDirectory(host: HostView, config: Config): ContainerPath {
  const configured = config.nvidiaContainerRuntime.modes.csv.compatContainerRoot;
  if (configured !== undefined) return configured;
  const names = (readText(host, COMPATIBLE_FILE) ?? "").split("\0");
  return names.includes(ORIN) ? CUDA_COMPAT_ORIN : CUDA_COMPAT;
}

/** `libcuda.so.575.57.08`, and `libcuda.so.1.1` on Orin; not the links `libcuda.so` and `libcuda.so.1`. */
const LIBCUDA = /^libcuda\.so\.[^.]+\../;

/** Headers and notes of a real library take a tenth. An image's author decides how much there is to read. */
const MAX_BYTES = 128 * 1024;
/** Real directories have a dozen. */
const MAX_NAMES = 4096;

/**
 * Finds the libcuda that an image brings along for hosts with an older driver, and what it says of itself. Only
 * looks; whether it is to be used is for {@link prefersCompat}.
 *
 * @param directory where images have it, see {@link compatDirectory}.
 * @returns `undefined` when the directory has not exactly one such file, or when that file cannot be read.
 */
export function readCompat(image: ImageView, directory: ContainerPath): CompatLibrary | undefined {
  try {
    const files: string[] = [];
    for (const name of image.readDirectory(directory, MAX_NAMES)) {
      if (!LIBCUDA.test(name)) continue;
      // The file itself, never what a link leads to.
      if (image.type(containerPath(`${directory}/${name}`), "itself") === "file") files.push(name);
      if (files.length > 1) return undefined;
    }
    const [fileName] = files;
    if (fileName === undefined) return undefined;
    const reader = boundedReader(image, containerPath(`${directory}/${fileName}`));
    return { fileName, note: cudaNote(readNotes(readElf(fileName, reader))) };
  } catch (error) {
    // It is the image's own business, and whoever loads the library will complain about it.
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
        `Cannot read ${quote(path, 4096)}: its headers are larger than any library's`,
      );
    }
    return image.readRange(path, offset, length) ?? NOTHING;
  };
}

/**
 * Whether an image's own libcuda should be preferred to the host's: it has to work with the host's kernel modules
 * and offer a newer CUDA. Never mounts anything of an image.
 *
 * @param driverVersion of the host's kernel modules.
 * @param cudaVersion that the host's own libcuda offers.
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
