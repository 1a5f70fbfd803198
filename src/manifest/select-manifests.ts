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
