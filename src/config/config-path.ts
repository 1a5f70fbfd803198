import { NvociError } from "../model/errors.ts";
import { type HostPath, hostPath } from "../model/paths.ts";
import { quote } from "../text/quote.ts";

/** The path of the configuration file. */
interface ConfigPath {
  readonly path: HostPath;
  /** Whether this file was named explicitly, so that it is an error if it does not exist. */
  readonly mustExist: boolean;
}

const FILE_VARIABLE = "NVIDIA_CTK_CONFIG_FILE_PATH";
const HOME_VARIABLE = "XDG_CONFIG_HOME";
const BELOW_HOME = "nvidia-container-runtime/config.toml";

/**
 * Returns the path of the configuration file: the value of `-config`, else of `NVIDIA_CTK_CONFIG_FILE_PATH`, else
 * `nvidia-container-runtime/config.toml` below `XDG_CONFIG_HOME` or `/etc`. Does not read the file system.
 *
 * Both variables are honored, because installations depend on them. But some callers start a hook with the
 * environment of the *image*, whose author could then choose the configuration. Such an environment comes from
 * config.json. So a variable that `imageEnv` sets to the same value stops the container: trusting it could weaken
 * the host's policy, and ignoring it could disable a policy that the administrator set.
 *
 * @param environ the environment of this process, `NAME=value`; the first duplicate wins, as for getenv(3).
 * @param option the value of `-config`, which overrides both variables.
 * @param imageEnv `process.env` of the container; empty if there is no container.
 * @throws {NvociError} "config-invalid" when the image sets such a variable to the same value, or the path is not
 * absolute, so that it would depend on the working directory.
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
  // The XDG specification says to ignore relative paths.
  const directory = home.startsWith("/") ? home : "/etc";
  return { path: hostPath(`${directory}/${BELOW_HOME}`), mustExist: false };
}

/** Returns the value of a variable; empty if it is not set. */
function trustedVariable(name: string, environ: readonly string[], imageEnv: readonly string[]): string {
  const entry = environ.find((candidate) => candidate.startsWith(`${name}=`)) ?? `${name}=`;
  const value = entry.slice(name.length + 1);
  if (value === "" || !imageEnv.includes(entry)) return value;
  throw new NvociError(
    "config-invalid",
    `Cannot trust ${name}=${quote(value)}: the image sets the same value`,
    { hint: "start the hook with a clean environment, or name the file with -config" },
  );
}

function absolute(path: string, origin: string): HostPath {
  if (path.startsWith("/") && !path.includes("\0")) return hostPath(path);
  throw new NvociError("config-invalid", `Cannot read ${quote(path)}: ${origin} must be an absolute path`);
}

/** Real files have less than 4 KiB. */
export const MAX_CONFIG_BYTES = 1 << 20;
