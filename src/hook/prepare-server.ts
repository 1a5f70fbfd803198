import { detectPlatform } from "../discover/detect-platform.ts";
import { loadBundle } from "../load.ts";
import { linuxHost } from "../sys/linux-host.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import type { Prepare } from "./gather.ts";

/**
 * Makes a server's kernel modules and device nodes ready where the driver is found without manifests. A Tegra board's
 * are loaded by its own system.
 */
export const prepareServer =
  (system: Syscalls): Prepare =>
  (config, request) => {
    const { mode } = config.nvidiaContainerRuntime;
    const host = linuxHost(system);
    const byManifests = mode === "csv" || (mode === "auto" && detectPlatform(host).kind === "tegra");
    if (byManifests) return [];
    const { prepareHost } = loadBundle<typeof import("../host-setup/prepare-host.ts")>("setup");
    return prepareHost(system, host, config, request);
  };
