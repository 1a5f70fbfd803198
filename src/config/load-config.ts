import { loadBundle } from "../load.ts";
import { NvociError } from "../model/errors.ts";
import type { Report } from "../model/finding.ts";
import { type HostPath, hostPath } from "../model/paths.ts";
import { type FileStat, type HostView, isInitialUserNamespace } from "../model/views.ts";
import { quote } from "../text/quote.ts";
import { decodeUtf8 } from "../text/utf8.ts";
import { type Config, DEFAULT_CONFIG } from "./config.ts";
import { configPath, MAX_CONFIG_BYTES } from "./config-path.ts";

const WRITABLE_BY_GROUP = 0o020;
const WRITABLE_BY_OTHERS = 0o002;

/**
 * Reads a file that names programs, directories or restrictions that root obeys. A file that another user can
 * change is refused: trusting it would make that user root.
 *
 * The owner and the mode are checked on the open file, so replacing the name meanwhile has no effect. For a
 * symbolic link, the target is checked.
 *
 * @returns `undefined` when the file does not exist.
 * @throws {NvociError} "config-invalid" when another user can change the file.
 */
export function readConfigFile(host: HostView, path: HostPath, limit: number): Uint8Array | undefined {
  return host.readFile(path, limit, (stat) => {
    const objection = whoElseWrites(host, stat);
    if (objection === undefined) return;
    const [reason, remedy] = objection;
    const file = quote(path, 4096);
    throw new NvociError("config-invalid", `Cannot trust ${file}: ${reason}`, {
      output: [`its mode is 0${stat.mode.toString(8)} and its owner is ${stat.uid}:${stat.gid}`],
      hint: `run: ${remedy} ${file}`,
    });
  });
}

/**
 * Returns why users other than root and the user of this process can change the file, and the command that mends
 * it.
 */
function whoElseWrites(host: HostView, { mode, uid, gid }: FileStat): [string, string] | undefined {
  if (mode & WRITABLE_BY_OTHERS) return ["every user may write to it", "chmod go-w"];
  const group = mode & WRITABLE_BY_GROUP && gid !== 0;
  if (uid === 0 && !group) return undefined;
  const own = host.lstat(hostPath("/proc/self/fd"));
  // In a user namespace the host's root has no id. A process there has no more rights than the user who made it.
  if (own === undefined || !isInitialUserNamespace(host)) return undefined;
  if (uid !== 0 && uid !== own.uid) return [`it belongs to user ${uid}`, "chown root"];
  return group && gid !== own.gid ? [`group ${gid} may write to it`, "chmod g-w"] : undefined;
}

/** A configuration and the file that it comes from; `undefined` for the built-in defaults. */
export interface LoadedConfig {
  readonly config: Config;
  readonly file: HostPath | undefined;
}

/**
 * Loads the configuration of this host. If the default file does not exist, the built-in defaults apply.
 *
 * The parameters between `host` and `report` are those of {@link configPath}.
 *
 * @throws {NvociError} "config-invalid" when a file that was named explicitly does not exist, or the file can be
 * changed by users other than root, is not UTF-8, or is invalid.
 */
export function loadConfig(
  host: HostView,
  environ: readonly string[],
  option: string | undefined,
  imageEnv: readonly string[],
  report: Report,
): LoadedConfig {
  const { path, mustExist } = configPath(environ, option, imageEnv);
  const bytes = readConfigFile(host, path, MAX_CONFIG_BYTES);
  if (bytes === undefined) {
    if (!mustExist) return { config: DEFAULT_CONFIG, file: undefined };
    throw new NvociError("config-invalid", `Cannot read ${quote(path, 4096)}: the file does not exist`);
  }
  const text = decodeUtf8(bytes);
  if (text === undefined) {
    throw new NvociError("config-invalid", `Cannot read ${quote(path, 4096)}: it is not UTF-8 text`);
  }
  // Few boards have a configuration file, so the TOML parser is a separate part, loaded on demand.
  const { parseConfig } = loadBundle<typeof import("./parse-config.ts")>("config");
  return { config: parseConfig(text, path, report), file: path };
}
