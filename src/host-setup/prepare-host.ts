import type { Config } from "../config/config.ts";
import { usesManifests } from "../discover/detect-platform.ts";
import { loadBundle } from "../load.ts";
import type { Report } from "../model/finding.ts";
import type { HostView } from "../model/views.ts";
import type { Request } from "../request/request.ts";
import type { Syscalls } from "../sys/syscalls.ts";

/*
 * Small because it is at the border of a part: a board with manifests never loads the rest of this folder.
 */

/**
 * Loads a server's kernel modules and makes its device nodes. Does nothing on hosts with manifests, because a Tegra
 * board's own system does that. Failures are findings; discovery decides whether the container can start.
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
