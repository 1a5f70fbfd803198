import type { Request } from "../request/request.ts";
import type { DriverDiscovery, DriverInput } from "./discover-driver.ts";
import { prefersCompat } from "./server/cuda-compat.ts";
import { discoverServer } from "./server/discover-server.ts";

/**
 * Finds what a container gets of a driver that is installed as on a server, and whether it is better off with its
 * image's own CUDA libraries.
 *
 * @throws NvociError as `discoverServer` does.
 */
export function fromCache(input: DriverInput, request: Request): DriverDiscovery {
  const { config, container } = input;
  const found = discoverServer({
    ...input,
    request,
    driverRoot: config.nvidiaContainerCli.root,
    ldCache: config.nvidiaContainerCli.ldcache,
    librarySearchPaths: config.nvoci.librarySearchPaths,
  });
  const mayUseCompat =
    config.nvidiaContainerRuntime.modes.legacy.cudaCompatMode !== "disabled" &&
    request.driverCapabilities.includes("compute");
  const compat = mayUseCompat ? container.compat(input.host, config) : undefined;
  const usesCompat =
    compat !== undefined && prefersCompat(compat.library, found.driverVersion, found.cudaVersion());
  return {
    edits: found.edits,
    generated: found.generated,
    compatFolder: usesCompat ? compat.directory : undefined,
    findings: found.findings,
  };
}
