import type { Config } from "../config/config.ts";
import { type L4tRelease, parseL4tRelease } from "../manifest/select-manifests.ts";
import { type HostPath, hostPath } from "../model/paths.ts";
import { type HostView, readText } from "../model/views.ts";
import { decodeUtf8 } from "../text/utf8.ts";

/** Where Linux for Tegra says which release it is. */
export const L4T_RELEASE_FILE: HostPath = hostPath("/etc/nv_tegra_release");

const SOC_FAMILY_FILE = hostPath("/sys/devices/soc0/family");

/** Which way the host's driver is found: by manifests on Tegra, by the library cache elsewhere. */
export interface Platform {
  readonly kind: "tegra" | "server";
  /** `undefined` on a server, and where the release file is missing or says nothing that is understood. */
  readonly release: L4tRelease | undefined;
}

/**
 * Tells a Tegra board by its release file or, where an image left that out, by the family its SoC driver reports.
 *
 * @see https://www.kernel.org/doc/Documentation/ABI/testing/sysfs-devices-soc
 */
export function detectPlatform(host: HostView): Platform {
  // Whatever is in the file, text or not, only a board has it.
  const release = host.readFile(L4T_RELEASE_FILE);
  if (release !== undefined) {
    return { kind: "tegra", release: parseL4tRelease(decodeUtf8(release) ?? "") };
  }
  const family = readText(host, SOC_FAMILY_FILE) ?? "";
  const isTegra = family.trim().toLowerCase().startsWith("tegra");
  return { kind: isTegra ? "tegra" : "server", release: undefined };
}

/** Whether the driver is found by manifests: on Tegra, unless `mode` in the configuration says otherwise. */
export function usesManifests(host: HostView, config: Config): boolean {
  const { mode } = config.nvidiaContainerRuntime;
  return mode === "csv" || (mode === "auto" && detectPlatform(host).kind === "tegra");
}
