import { compareVersions } from "../../request/compare-versions.ts";
import type { CudaNote } from "../elf/driver-notes.ts";

/** The libcuda that an image brings along for hosts with an older driver. */
export interface CompatLibrary {
  /** `libcuda.so.575.57.08`. */
  readonly fileName: string;
  /** What it says of itself; old ones say nothing. */
  readonly note: CudaNote | undefined;
}

/**
 * Whether an image's own libcuda should be preferred to the host's: it has to work with the host's kernel modules
 * and offer a newer CUDA. Only says so; never mounts anything of an image.
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
