import { CUDA_OF_L4T } from "../../driver/facts/l4t.ts";
import { hostCudaNote } from "../../elf/driver-notes.ts";
import type { L4tRelease } from "../../manifest/select-manifests.ts";
import type { Mount } from "../../model/container-edits.ts";
import { basename, type ContainerPath } from "../../model/paths.ts";
import type { HostView, ImageView } from "../../model/views.ts";
import { compareVersions, type VersionFact } from "../../request/requirements.ts";
import { LIBCUDA, prefersCompat, readCompat } from "./forward-compat.ts";

/** A board and the image of a container. */
export interface BoardAndImage {
  readonly host: HostView;
  readonly image: ImageView;
  /** `undefined` when unknown. */
  readonly release: L4tRelease | undefined;
  /** What the container gets of the host. */
  readonly mounts: readonly Mount[];
}

/**
 * Reports whether a container on a board prefers the libcuda in a directory of its image. A board's libraries do not
 * have the version of a driver, so CUDA versions decide.
 */
export function boardPrefersCompat(board: BoardAndImage, directory: ContainerPath): boolean {
  const library = readCompat(board.image, directory);
  return library !== undefined && prefersCompat(library, { driver: undefined, cuda: () => boardCuda(board) });
}

/** Returns the CUDA version of a board's driver: that in libcuda's note, else that of the board's release. */
function boardCuda({ host, release, mounts }: BoardAndImage): VersionFact | undefined {
  const libcuda = mounts.find(({ hostPath }) => LIBCUDA.test(basename(hostPath)))?.hostPath;
  const version = libcuda && hostCudaNote(host, libcuda)?.cudaVersion;
  if (version !== undefined) return { version, orNewer: false };
  return release && cudaVersionOfL4t(release);
}

/**
 * Returns the CUDA version of a release of Linux for Tegra. A release newer than all known ones has at least the newest
 * known CUDA version. `undefined` for older releases.
 */
export function cudaVersionOfL4t({ major, revision }: L4tRelease): VersionFact | undefined {
  const known = CUDA_OF_L4T.filter(([from]) => compareVersions(from, `${major}.${revision}`) <= 0);
  const row = known.at(-1);
  if (row === undefined) return undefined;
  const [first, version] = row;
  // A third number, as in 36.4.3, is an update that keeps CUDA.
  const isNewer = compareVersions(`${major}.${Number.parseInt(revision, 10)}`, first) > 0;
  return { version, orNewer: isNewer && row === CUDA_OF_L4T.at(-1) };
}
