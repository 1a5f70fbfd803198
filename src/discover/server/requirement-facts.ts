import { cudaNote, readNotes } from "../../elf/driver-notes.ts";
import { readHostElf } from "../../elf/read-elf.ts";
import { ignorable } from "../../model/errors.ts";
import type { HostPath } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";

/**
 * The CUDA version released with each branch of the driver.
 *
 * @see NVIDIA CUDA Toolkit Release Notes, "CUDA Toolkit and Corresponding Driver Versions"
 */
const BRANCHES: readonly (readonly [branch: number, cuda: string])[] = [
  [352, "7.5"],
  [367, "8.0"],
  [384, "9.0"],
  [387, "9.1"],
  [396, "9.2"],
  [410, "10.0"],
  [418, "10.1"],
  [440, "10.2"],
  [450, "11.0"],
  [455, "11.1"],
  [460, "11.2"],
  [465, "11.3"],
  [470, "11.4"],
  [495, "11.5"],
  [510, "11.6"],
  [515, "11.7"],
  [520, "11.8"],
  [525, "12.0"],
  [530, "12.1"],
  [535, "12.2"],
  [545, "12.3"],
  [550, "12.4"],
  [555, "12.5"],
  [560, "12.6"],
  [565, "12.7"],
  [570, "12.8"],
  [575, "12.9"],
  [580, "13.0"],
  [590, "13.1"],
];

const NEWEST_BRANCH = 590;

/** Returns the CUDA version of a driver by its branch; `undefined` for branches older or newer than the table. */
export function cudaVersionOfBranch(driverVersion: string): string | undefined {
  const branch = Number.parseInt(driverVersion, 10);
  if (branch > NEWEST_BRANCH) return undefined;
  return BRANCHES.filter(([first]) => first <= branch).at(-1)?.[1];
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

/**
 * Brands by model name, the most specific first. Only NVML knows which of several brands the driver reports (newer
 * drivers call a Tesla T4 `NVIDIA`), so a model has every possible brand.
 */
const BRANDS: readonly (readonly [model: RegExp, brands: readonly string[]])[] = [
  [/\bGeForce RTX\b/i, ["geforce", "geforcertx"]],
  [/\bGeForce\b/i, ["geforce"]],
  [/\bTITAN RTX\b/i, ["titan", "titanrtx"]],
  [/\bTITAN\b/i, ["titan", "geforce"]],
  [/\bQuadro RTX\b/i, ["quadro", "quadrortx"]],
  [/\bQuadro\b/i, ["quadro"]],
  [/\bTesla\b/i, ["tesla", "nvidia"]],
  [/\bGRID\b/i, ["grid", "vapps", "vpc", "vcs", "vws", "nvidia", "nvidiartx"]],
  [/\bNVS\b/i, ["nvs"]],
  [/\bNVIDIA RTX\b|^RTX\b/i, ["nvidiartx", "quadro", "quadrortx"]],
  [/^NVIDIA (?:[ABHLT]\d|GH\d|GB\d|PG\d)/i, ["nvidia", "tesla"]],
];

/** Returns the possible brands of a model, in lower case and without spaces; none when its name is not known. */
export const gpuBrands = (model: string): readonly string[] =>
  BRANDS.find(([pattern]) => pattern.test(model))?.[1] ?? [];
