import { loadBundle } from "../load.ts";
import { NvociError } from "../model/errors.ts";
import type { Report } from "../model/finding.ts";
import type { HostView } from "../model/host-view.ts";
import type { HostPath } from "../model/paths.ts";
import { quote } from "../model/quote.ts";
import { decodeUtf8 } from "../model/utf8.ts";
import { type Config, DEFAULT_CONFIG } from "./config.ts";
import { configPath } from "./config-path.ts";
import { readConfigFile } from "./read-config-file.ts";

/** A configuration with the file it comes from: none where the built-in defaults hold. */
export interface LoadedConfig {
  readonly config: Config;
  readonly file: HostPath | undefined;
}

/** Real files have less than 4 KiB. */
const SIZE_LIMIT = 1 << 20;

/**
 * Reads the configuration of this host; the built-in defaults hold where the usual file does not exist.
 *
 * The parameters between `host` and `report` are those of {@link configPath}.
 *
 * @throws NvociError `config-invalid` for a file that was asked for and does not exist, for one that
 * others than root can change, and for one that is not UTF-8 or not valid.
 */
export function loadConfig(
  host: HostView,
  environ: readonly string[],
  option: string | undefined,
  imageEnv: readonly string[],
  report: Report,
): LoadedConfig {
  const { path, mustExist } = configPath(environ, option, imageEnv);
  const bytes = readConfigFile(host, path, SIZE_LIMIT);
  if (bytes === undefined) {
    if (!mustExist) return { config: DEFAULT_CONFIG, file: undefined };
    throw new NvociError("config-invalid", `Cannot read ${quote(path, 4096)}: there is no such file`);
  }
  const text = decodeUtf8(bytes);
  if (text === undefined) {
    throw new NvociError("config-invalid", `Cannot read ${quote(path, 4096)}: it is not UTF-8 text`);
  }
  // TOML is read on few boards: its parser is a bundle of its own.
  const { parseConfig } = loadBundle<typeof import("./parse-config.ts")>("config");
  return { config: parseConfig(text, path, report), file: path };
}
