/** Which manifests of the directory count: every one, or those that belong to the driver itself. */
export type ManifestSelection = "all" | "base";

/** The manifests that belong to the driver. The others bring CUDA, cuDNN, TensorRT and the like. */
const BASE_NAMES: readonly string[] = ["l4t.csv", "drivers.csv", "devices.csv"];

/**
 * Sorts the names in the manifest directory into those to read and those left out for being no base manifest.
 *
 * A manifest's name ends in `.csv`, in any case, with something before it; other names are in neither list.
 *
 * @param names in any order.
 * @returns both lists sorted by name.
 */
export function selectManifests(
  names: readonly string[],
  selection: ManifestSelection,
): { readonly read: readonly string[]; readonly skipped: readonly string[] } {
  const manifests = names.filter((name) => name.length > 4 && name.toLowerCase().endsWith(".csv")).sort();
  const isRead = (name: string): boolean => selection === "all" || BASE_NAMES.includes(name.toLowerCase());
  return { read: manifests.filter(isRead), skipped: manifests.filter((name) => !isRead(name)) };
}

/** The first L4T major whose container images bring CUDA and its libraries themselves. */
const FIRST_SELF_CONTAINED = 34;

/**
 * Tells which manifests a host's driver release needs: images for JetPack 4 (L4T 32) rely on the host's CUDA,
 * later ones carry their own.
 *
 * @param release `undefined` when unknown, which counts as new.
 * @see https://github.com/NVIDIA/libnvidia-container changelog of 0.11.0, which made "base" the default for all.
 */
export function defaultSelection(release: L4tRelease | undefined): ManifestSelection {
  return release !== undefined && release.major < FIRST_SELF_CONTAINED ? "all" : "base";
}

/**
 * Decides which manifests are read: what the container asks for comes before config.toml, which comes before the
 * driver's release.
 *
 * @param requested what the container asks for; `undefined` when it does not say.
 * @param configured config.toml's word; "auto" leaves it to the release.
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
 * Reads the text of `/etc/nv_tegra_release`.
 *
 * The driver's version is another one (R36.4.3 brings 540.4.0) and is not told here.
 *
 * @returns `undefined` when the text does not start with a release line.
 */
export function parseL4tRelease(text: string): L4tRelease | undefined {
  const [, major, revision] = FIRST_LINE.exec(text.trimStart()) ?? [];
  if (major === undefined || revision === undefined) return undefined;
  return { major: Number(major), revision };
}
