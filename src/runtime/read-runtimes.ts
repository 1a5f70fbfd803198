import { DEFAULT_CONFIG } from "../config/config.ts";
import { configPath } from "../config/config-path.ts";
import { loadBundle } from "../load.ts";
import type { HostView } from "../model/host-view.ts";

/** Real files have less than 4 KiB. */
const SIZE_LIMIT = 1 << 20;

/**
 * The low-level runtimes that config.toml names. Nothing else of the file is looked at: a mistake elsewhere in it must
 * not keep a container from being stopped. The parser is loaded only where there is a file.
 *
 * @throws NvociError "config-invalid"
 */
export function readRuntimes(host: HostView, environ: readonly string[]): readonly string[] {
  const { path, mustExist } = configPath(environ, undefined);
  const bytes = host.readFile(path, SIZE_LIMIT);
  if (bytes === undefined && !mustExist) return DEFAULT_CONFIG.nvidiaContainerRuntime.runtimes;
  return loadBundle<typeof import("./runtimes-of-config.ts")>("runtimes").runtimesOfConfig(bytes, path);
}
