/** The manifests to read: all of the directory, or only those of the driver itself. */
export type ManifestSelection = "all" | "base";

/** The driver's own manifests. The others add CUDA, cuDNN, TensorRT and similar libraries. */
const BASE_NAMES: readonly string[] = ["l4t.csv", "drivers.csv", "devices.csv"];

/** Reports whether a name ends in `.csv`, in upper or lower case, and is longer than that. */
export const isManifestName = (name: string): boolean =>
  name.length > 4 && name.toLowerCase().endsWith(".csv");

/**
 * Divides the names in the manifest directory into manifests to read and other manifests, which are skipped.
 * Names of other files are in neither list.
 *
 * @param names the names, in any order.
 * @returns both lists sorted by name.
 */
export function selectManifests(
  names: readonly string[],
  selection: ManifestSelection,
): { readonly read: readonly string[]; readonly skipped: readonly string[] } {
  const manifests = names.filter(isManifestName).sort();
  const isRead = (name: string): boolean => selection === "all" || BASE_NAMES.includes(name.toLowerCase());
  return { read: manifests.filter(isRead), skipped: manifests.filter((name) => !isRead(name)) };
}

/** The first L4T major version whose container images contain CUDA and its libraries. */
const FIRST_SELF_CONTAINED = 34;

/**
 * Returns the manifests that a host's driver release needs: images for JetPack 4 (L4T 32) rely on the host's CUDA,
 * later ones contain their own.
 *
 * @param release `undefined` when unknown. Only builds of L4T 32 by others have manifests besides the driver's and no
 *   release file, and there one of the others lists libcuda.
 * @see https://github.com/NVIDIA/libnvidia-container changelog of 0.11.0, which made "base" the default for all.
 * @see https://github.com/OE4T/meta-tegra branch dunfell, recipe tegra-libraries-cuda: container-runtime-csv
 */
export function defaultSelection(release: L4tRelease | undefined): ManifestSelection {
  return release === undefined || release.major < FIRST_SELF_CONTAINED ? "all" : "base";
}

/**
 * Selects the manifests to read: the container's request overrides config.toml, which overrides the driver's
 * release.
 *
 * @param requested the container's request; `undefined` when it has none.
 * @param configured the value in config.toml; "auto" leaves the choice to the release.
 */
export function chooseSelection(
  requested: ManifestSelection | undefined,
  configured: ManifestSelection | "auto",
  release: L4tRelease | undefined,
): ManifestSelection {
  return requested ?? (configured === "auto" ? defaultSelection(release) : configured);
}

/** NVIDIA's Linux for Tegra, as `/etc/nv_tegra_release` describes it. */
export interface L4tRelease {
  /** 32 for JetPack 4, 35 for JetPack 5, 36 for JetPack 6. */
  readonly major: number;
  /** `4.3` in R36.4.3. */
  readonly revision: string;
}

const FIRST_LINE = /^# *R(\d{1,4}) \(release\), *REVISION: *(\d+(?:\.\d+)*)/;

/**
 * Parses the text of `/etc/nv_tegra_release`.
 *
 * The driver has a separate version: 540.4.0 in R36.4.3.
 *
 * @returns `undefined` when the text does not start with a release line.
 */
export function parseL4tRelease(text: string): L4tRelease | undefined {
  const [, major, revision] = FIRST_LINE.exec(text.trimStart()) ?? [];
  if (major === undefined || revision === undefined) return undefined;
  return { major: Number(major), revision };
}
