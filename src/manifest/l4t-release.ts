import { type HostPath, hostPath } from "../model/paths.ts";

/** NVIDIA's Linux for Tegra, as `/etc/nv_tegra_release` describes it. */
export interface L4tRelease {
  /** 32 for JetPack 4, 35 for JetPack 5, 36 for JetPack 6. */
  readonly major: number;
  /** `4.3` in R36.4.3. */
  readonly revision: string;
  /** Where the driver's libraries lie; only R36 and newer say so. */
  readonly libraryDirectory?: HostPath;
}

const FIRST_LINE = /^# *R(\d{1,4}) \(release\), *REVISION: *(\d+(?:\.\d+)*)/;
const LIBRARY_DIRECTORY = /^TARGET_USERSPACE_LIB_DIR_PATH=(\S+)/m;

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
  const directory = LIBRARY_DIRECTORY.exec(text)?.[1];
  const release = { major: Number(major), revision };
  // R36 writes the path without its first slash.
  return directory === undefined ? release : { ...release, libraryDirectory: hostPath(directory) };
}
