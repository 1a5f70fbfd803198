import { loadBundle } from "../load.ts";
import { NvociError } from "../model/errors.ts";
import type { Report } from "../model/finding.ts";
import { type HostPath, hostPath } from "../model/paths.ts";
import type { FileStat, HostView } from "../model/views.ts";
import { quote } from "../text/quote.ts";
import { decodeUtf8 } from "../text/utf8.ts";
import { type Config, DEFAULT_CONFIG } from "./config.ts";
import { configPath, MAX_CONFIG_BYTES } from "./config-path.ts";

const WRITABLE_BY_GROUP = 0o020;
const WRITABLE_BY_OTHERS = 0o002;
/** /proc/PID/uid_map of the initial user namespace: every id stands for itself. */
const IDENTITY = "0 0 4294967295";

/**
 * Reads a file that names programs, directories or restrictions which root then goes by. A file that somebody else can
 * change is refused: believing it would make that somebody root.
 *
 * The facts are those of the opened file, so a name that is exchanged meanwhile changes nothing, and of a symbolic link
 * the target counts.
 *
 * @returns `undefined` where there is none.
 * @throws NvociError "config-invalid"
 */
export function readConfigFile(host: HostView, path: HostPath, limit: number): Uint8Array | undefined {
  return host.readFile(path, limit, (stat) => {
    const objection = whoElseWrites(host, stat);
    if (objection === undefined) return;
    const [reason, remedy] = objection;
    const file = quote(path, 4096);
    throw new NvociError("config-invalid", `Cannot trust ${file}: ${reason}`, {
      output: [`its mode is 0${stat.mode.toString(8)}, its owner ${stat.uid}:${stat.gid}`],
      hint: `run: ${remedy} ${file}`,
    });
  });
}

/** Why others than root, and the user who runs this program, can change the file, and what ends it. */
function whoElseWrites(host: HostView, { mode, uid, gid }: FileStat): [string, string] | undefined {
  if (mode & WRITABLE_BY_OTHERS) return ["every user may write to it", "chmod go-w"];
  const group = mode & WRITABLE_BY_GROUP && gid !== 0;
  if (uid === 0 && !group) return undefined;
  const own = host.lstat(hostPath("/proc/self/fd"));
  // In a user namespace the host's root has no number of its own. What runs there has no more rights than its user.
  if (own === undefined || !isInitialNamespace(host)) return undefined;
  if (uid !== 0 && uid !== own.uid) return [`it belongs to user ${uid}`, "chown root"];
  return group && gid !== own.gid ? [`group ${gid} may write to it`, "chmod g-w"] : undefined;
}

function isInitialNamespace(host: HostView): boolean {
  const bytes = host.readFile(hostPath("/proc/self/uid_map"));
  const text = (bytes && decodeUtf8(bytes)) ?? IDENTITY;
  return text.trim().split(/\s+/).join(" ") === IDENTITY;
}

/** A configuration with the file it comes from: none where the built-in defaults hold. */
export interface LoadedConfig {
  readonly config: Config;
  readonly file: HostPath | undefined;
}

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
  const bytes = readConfigFile(host, path, MAX_CONFIG_BYTES);
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
