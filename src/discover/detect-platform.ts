import type { Config } from "../config/config.ts";
import { VERSION_FILE } from "../driver/driver-version.ts";
import { BOARD_NODES } from "../driver/facts/boards.ts";
import { isManifestName, type L4tRelease, parseL4tRelease } from "../manifest/select-manifests.ts";
import { type HostPath, hostPath } from "../model/paths.ts";
import { type HostView, readText } from "../model/views.ts";
import { decodeUtf8 } from "../text/utf8.ts";

/** Contains the release of Linux for Tegra. */
export const L4T_RELEASE_FILE: HostPath = hostPath("/etc/nv_tegra_release");

const SOC_FAMILY_FILE = hostPath("/sys/devices/soc0/family");

/** The board's names for its type, each followed by a NUL. @see Devicetree Specification, "compatible" */
const COMPATIBLE_FILE = hostPath("/proc/device-tree/compatible");

/**
 * The kind of host, which decides how the driver is found: by manifests on Tegra, by the library cache elsewhere.
 */
export interface Platform {
  readonly kind: "tegra" | "server";
  /** `undefined` on a server, and when the release file is missing or not understood. */
  readonly release: L4tRelease | undefined;
}

/** Returns the names of the board in its device tree, such as `nvidia,tegra234`; none on a machine without one. */
export const boardNames = (host: HostView): readonly string[] =>
  (readText(host, COMPATIBLE_FILE) ?? "").split("\0");

/** Signs of a Tegra board whose system image has no release file, those that cost least first. */
const SIGNS: readonly ((host: HostView, config: Config) => boolean)[] = [
  // See https://www.kernel.org/doc/Documentation/ABI/testing/sysfs-devices-soc
  (host) => /^\s*tegra/i.test(readText(host, SOC_FAMILY_FILE) ?? ""),
  (host) => boardNames(host).some((name) => name.startsWith("nvidia,tegra")),
  (host) => BOARD_NODES.some((node) => host.lstat(hostPath(node))?.type === "character-device"),
  // A server may have manifests that nobody uses, so its driver decides.
  (host, { nvidiaContainerRuntime: { modes } }) =>
    (host.readDirectory(modes.csv.mountSpecPath) ?? []).some(isManifestName) &&
    host.lstat(VERSION_FILE) === undefined,
];

/** What was found on each host, because several phases ask. It does not change while a process runs. */
const detected = new WeakMap<HostView, Platform>();

/** Detects the platform, once per host. */
export function detectPlatform(host: HostView, config: Config): Platform {
  const platform = detected.get(host) ?? detectAnew(host, config);
  detected.set(host, platform);
  return platform;
}

/** Detects a Tegra board by its release file or, if the system image omits it, by what the kernel reports. */
function detectAnew(host: HostView, config: Config): Platform {
  // Only boards have this file, so its content does not matter.
  const release = host.readFile(L4T_RELEASE_FILE);
  if (release !== undefined) {
    return { kind: "tegra", release: parseL4tRelease(decodeUtf8(release) ?? "") };
  }
  return { kind: SIGNS.some((sign) => sign(host, config)) ? "tegra" : "server", release: undefined };
}

/** Reports whether manifests describe the driver: on Tegra, unless `mode` in the configuration overrides it. */
export function usesManifests(host: HostView, config: Config): boolean {
  const { mode } = config.nvidiaContainerRuntime;
  return mode === "csv" || (mode === "auto" && detectPlatform(host, config).kind === "tegra");
}
