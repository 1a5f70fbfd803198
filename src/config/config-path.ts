import { NvociError } from "../model/errors.ts";
import { type HostPath, hostPath } from "../model/paths.ts";
import { quote } from "../text/quote.ts";

/** Which file holds the configuration. */
interface ConfigPath {
  readonly path: HostPath;
  /** Whether somebody named this very file, so that its absence is an error. */
  readonly mustExist: boolean;
}

const FILE_VARIABLE = "NVIDIA_CTK_CONFIG_FILE_PATH";
const HOME_VARIABLE = "XDG_CONFIG_HOME";
const BELOW_HOME = "nvidia-container-runtime/config.toml";

/**
 * Finds the configuration's place: the `-config` option, else the file that `NVIDIA_CTK_CONFIG_FILE_PATH` names, else
 * `nvidia-container-runtime/config.toml` below `XDG_CONFIG_HOME` or `/etc`. Nothing is looked up.
 *
 * Both variables are honoured, because installations depend on them. But some callers start a hook with the
 * environment of the *image*, whose author could then choose a configuration that opens the host. Such an environment
 * comes from config.json. So a variable that `imageEnv` sets to the same value stops the container: believing it would
 * open the host, and passing over it would let an image switch off the restrictions of a genuine one.
 *
 * @param environ the process' own environment, `NAME=value`; of duplicates the first holds, as for getenv(3).
 * @param option the value of `-config`, which goes before both variables.
 * @param imageEnv `process.env` of the container that the call is for; empty where there is none.
 * @throws NvociError `config-invalid` for such a variable, and for a path that is not absolute, which the working
 * directory could bend.
 */
export function configPath(
  environ: readonly string[],
  option: string | undefined,
  imageEnv: readonly string[] = [],
): ConfigPath {
  if (option !== undefined) return { path: absolute(option, "-config"), mustExist: true };
  const file = trustedVariable(FILE_VARIABLE, environ, imageEnv);
  if (file) return { path: absolute(file, FILE_VARIABLE), mustExist: true };
  const home = trustedVariable(HOME_VARIABLE, environ, imageEnv);
  // The XDG specification has relative values ignored.
  const directory = home.startsWith("/") ? home : "/etc";
  return { path: hostPath(`${directory}/${BELOW_HOME}`), mustExist: false };
}

/** The variable's value; empty where it is not set. */
function trustedVariable(name: string, environ: readonly string[], imageEnv: readonly string[]): string {
  const entry = environ.find((candidate) => candidate.startsWith(`${name}=`)) ?? `${name}=`;
  const value = entry.slice(name.length + 1);
  if (value === "" || !imageEnv.includes(entry)) return value;
  throw new NvociError(
    "config-invalid",
    `Cannot trust ${name}=${quote(value)}: the image sets the same value`,
    { hint: "start the hook with an environment of its own, or name the file with -config" },
  );
}

function absolute(path: string, origin: string): HostPath {
  if (path.startsWith("/") && !path.includes("\0")) return hostPath(path);
  throw new NvociError("config-invalid", `Cannot read ${quote(path)}: ${origin} must give an absolute path`);
}

/** Real files have less than 4 KiB. */
export const MAX_CONFIG_BYTES = 1 << 20;
