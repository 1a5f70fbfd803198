import { BRANDS_OF_MODEL, CUDA_OF_BRANCH } from "../../driver/facts/requirements.ts";
import { hostCudaNote } from "../../elf/driver-notes.ts";
import type { HostPath } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";
import type { VersionFact } from "../../request/requirements.ts";

/**
 * Returns the CUDA version of a driver by its branch. A branch newer than all known ones has at least the newest known
 * CUDA version: a driver never goes back. `undefined` for older branches.
 */
export function cudaVersionOfBranch(driverVersion: string): VersionFact | undefined {
  const branch = Number.parseInt(driverVersion, 10);
  const row = CUDA_OF_BRANCH.filter(([from]) => from <= branch).at(-1);
  if (row === undefined) return undefined;
  const [first, version] = row;
  return { version, orNewer: first < branch && row === CUDA_OF_BRANCH.at(-1) };
}

/** Returns the CUDA version of the host's driver: that in libcuda's note, else that of the driver's branch. */
export function hostCudaVersion(
  host: HostView,
  libcuda: HostPath | undefined,
  driverVersion: string,
): VersionFact | undefined {
  const version = libcuda && hostCudaNote(host, libcuda)?.cudaVersion;
  return version === undefined ? cudaVersionOfBranch(driverVersion) : { version, orNewer: false };
}

/** Returns the possible brands of a model, in lower case and without spaces; none when its name is not known. */
export const gpuBrands = (model: string): readonly string[] =>
  BRANDS_OF_MODEL.find(([pattern]) => pattern.test(model))?.[1] ?? [];
