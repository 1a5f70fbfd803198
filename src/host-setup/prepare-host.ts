import type { Config } from "../config/config.ts";
import { usesManifests } from "../discover/detect-platform.ts";
import { loadBundle } from "../load.ts";
import type { Report } from "../model/finding.ts";
import type { HostView } from "../model/views.ts";
import type { Request } from "../request/request.ts";
import type { Syscalls } from "../sys/syscalls.ts";

/*
 * Small because it is a bundle's border: a board with manifests never loads the rest of this folder.
 */

/**
 * Makes a server's kernel modules and device nodes ready. A Tegra board's are loaded by its own system, so where the
 * driver is found by manifests there is nothing to do. Whether the container can start is for discovery to find out.
 */
export function prepareHost(
  system: Syscalls,
  host: HostView,
  config: Config,
  request: Request,
  report: Report,
): void {
  if (!config.nvidiaContainerCli.loadKmods || usesManifests(host, config)) return;
  const { prepareServer } = loadBundle<typeof import("./prepare-server.ts")>("setup");
  prepareServer(system, host, config, request, report);
}
