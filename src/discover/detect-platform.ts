import type { Config } from "../config/config.ts";
import { type L4tRelease, parseL4tRelease } from "../manifest/select-manifests.ts";
import { type HostPath, hostPath } from "../model/paths.ts";
import { type HostView, readText } from "../model/views.ts";
import { decodeUtf8 } from "../text/utf8.ts";

/** Contains the release of Linux for Tegra. */
export const L4T_RELEASE_FILE: HostPath = hostPath("/etc/nv_tegra_release");

const SOC_FAMILY_FILE = hostPath("/sys/devices/soc0/family");

/**
 * The kind of host, which decides how the driver is found: by manifests on Tegra, by the library cache elsewhere.
 */
export interface Platform {
  readonly kind: "tegra" | "server";
  /** `undefined` on a server, and when the release file is missing or not understood. */
  readonly release: L4tRelease | undefined;
}

/** What was found on each host, because several phases ask. It does not change while a process runs. */
const detected = new WeakMap<HostView, Platform>();

/** Detects the platform, once per host. */
export function detectPlatform(host: HostView): Platform {
  const platform = detected.get(host) ?? detectAnew(host);
  detected.set(host, platform);
  return platform;
}

/**
 * Detects a Tegra board by its release file or, if the system image omits it, by the family that its SoC driver
 * reports.
 *
 * @see https://www.kernel.org/doc/Documentation/ABI/testing/sysfs-devices-soc
 */
function detectAnew(host: HostView): Platform {
  // Only boards have this file, so its content does not matter.
  const release = host.readFile(L4T_RELEASE_FILE);
  if (release !== undefined) {
    return { kind: "tegra", release: parseL4tRelease(decodeUtf8(release) ?? "") };
  }
  const family = readText(host, SOC_FAMILY_FILE) ?? "";
  const isTegra = family.trim().toLowerCase().startsWith("tegra");
  return { kind: isTegra ? "tegra" : "server", release: undefined };
}

/** Reports whether manifests describe the driver: on Tegra, unless `mode` in the configuration overrides it. */
export function usesManifests(host: HostView, config: Config): boolean {
  const { mode } = config.nvidiaContainerRuntime;
  return mode === "csv" || (mode === "auto" && detectPlatform(host).kind === "tegra");
}
