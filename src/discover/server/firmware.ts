import { finding } from "../../model/finding.ts";
import type { DriverRoot } from "./driver-root.ts";
import { readText } from "./driver-version.ts";
import { type FoundFiles, readOnly } from "./found-files.ts";

const DIRECTORY = "/lib/firmware";

/** Where the kernel looks for firmware before it looks into {@link DIRECTORY}. */
const SEARCH_PATH_PARAMETER = "/sys/module/firmware_class/parameters/path";

/**
 * Finds the firmware that the user-space driver hands to the GPU's system processor. The container gets it where
 * the driver looks, in /lib/firmware/nvidia/VERSION.
 *
 * @see https://docs.kernel.org/driver-api/firmware/fw_search_path.html
 */
export function discoverFirmware(root: DriverRoot, driverVersion: string): FoundFiles {
  const configured = (readText(root.host, SEARCH_PATH_PARAMETER) ?? "").trim();
  const directories = [configured, `${DIRECTORY}/updates`, DIRECTORY].filter((directory) =>
    directory.startsWith("/"),
  );
  for (const directory of directories) {
    const place = `${directory}/nvidia/${driverVersion}`;
    const mounts = root
      .list(place)
      .filter((name) => name.startsWith("gsp") && name.endsWith(".bin"))
      .flatMap((name) => {
        const real = root.resolve(`${place}/${name}`);
        const path = `${DIRECTORY}/nvidia/${driverVersion}/${name}`;
        return real === undefined ? [] : [readOnly("file", real, path, `firmware ${name}`)];
      });
    if (mounts.length > 0) return { mounts, findings: [] };
  }
  // Only drivers since 465 have it, and only GPUs since Turing use it.
  const path = `${DIRECTORY}/nvidia/${driverVersion}/gsp*.bin`;
  return {
    mounts: [],
    findings: [finding("entry-missing", "info", "GSP firmware", { type: "firmware", path })],
  };
}
