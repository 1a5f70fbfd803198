import { DEFAULT_CONFIG } from "../config/config.ts";
import { configPath } from "../config/config-path.ts";
import { readConfigFile } from "../config/read-config-file.ts";
import { type LoadBundle, loadBundle } from "../load.ts";
import type { HostView } from "../model/host-view.ts";
import { decodeUtf8 } from "../model/utf8.ts";

/** However the key is written, its name stands in a line before any comment. */
const MENTIONED = /^[^#\n]*runtimes/m;

/** Real files have less than 4 KiB. */
const SIZE_LIMIT = 1 << 20;

/**
 * The low-level runtimes that config.toml names. Nothing else of the file is looked at: a mistake elsewhere in it must
 * not keep a container from being stopped. The parser is loaded only for a file that mentions the key.
 *
 * @param load how the parser is reached.
 * @throws NvociError "config-invalid"
 */
export function readRuntimes(
  host: HostView,
  environ: readonly string[],
  load: LoadBundle = loadBundle,
): readonly string[] {
  const { path, mustExist } = configPath(environ, undefined);
  const bytes = readConfigFile(host, path, SIZE_LIMIT);
  const text = bytes === undefined ? (mustExist ? undefined : "") : decodeUtf8(bytes);
  if (text !== undefined && !MENTIONED.test(text)) return DEFAULT_CONFIG.nvidiaContainerRuntime.runtimes;
  return load<typeof import("./runtimes-of-config.ts")>("runtimes").runtimesOfConfig(bytes, path);
}
