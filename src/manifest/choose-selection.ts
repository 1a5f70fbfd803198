import type { L4tRelease } from "./l4t-release.ts";
import type { ManifestSelection } from "./select-manifests.ts";

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
