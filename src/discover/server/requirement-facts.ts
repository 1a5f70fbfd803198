import { BRANDS_OF_MODEL, CUDA_OF_BRANCH } from "../../driver/facts/requirements.ts";
import { cudaNote, readNotes } from "../../elf/driver-notes.ts";
import { readHostElf } from "../../elf/read-elf.ts";
import { ignorable } from "../../model/errors.ts";
import type { HostPath } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";

/** Returns the CUDA version of a driver by its branch; `undefined` for branches older or newer than the table. */
export function cudaVersionOfBranch(driverVersion: string): string | undefined {
  const branch = Number.parseInt(driverVersion, 10);
  const [newest] = CUDA_OF_BRANCH.at(-1) ?? [];
  if (newest === undefined || branch > newest) return undefined;
  return CUDA_OF_BRANCH.filter(([first]) => first <= branch).at(-1)?.[1];
}

/** Returns the CUDA version of the host's driver: that in libcuda's note, else that of the driver's branch. */
export function hostCudaVersion(
  host: HostView,
  libcuda: HostPath | undefined,
  driverVersion: string,
): string | undefined {
  return (libcuda && noteOf(host, libcuda)) ?? cudaVersionOfBranch(driverVersion);
}

function noteOf(host: HostView, libcuda: HostPath): string | undefined {
  try {
    return cudaNote(readNotes(readHostElf(host, libcuda)))?.cudaVersion;
  } catch (error) {
    // The branch is enough, and a program that loads the library gets its own error.
    ignorable(error);
    return undefined;
  }
}

/** Returns the possible brands of a model, in lower case and without spaces; none when its name is not known. */
export const gpuBrands = (model: string): readonly string[] =>
  BRANDS_OF_MODEL.find(([pattern]) => pattern.test(model))?.[1] ?? [];
