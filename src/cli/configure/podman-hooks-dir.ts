import { readConfigFile } from "../../config/load-config.ts";
import { parseToml } from "../../config/table-reader.ts";
import { NvociError } from "../../model/errors.ts";
import { basename, type HostPath, hostPath, join } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";
import { quote } from "../../text/quote.ts";
import { decodeUtf8 } from "../../text/utf8.ts";

/** podman's default. oci-hooks(5) names a second directory, which podman does not read. */
const USUAL = "/usr/share/containers/oci/hooks.d";

const VENDOR = hostPath("/usr/share/containers");
const ADMINISTRATOR = hostPath("/etc/containers");

/** Far more than any real file has. */
const MAX_FILE_BYTES = 1 << 24;

/** podman's directories of hook files. */
interface HooksDir {
  readonly directories: readonly string[];
  /** Whether a later file appends to the directories (since podman 5) instead of replacing them. */
  readonly isAppended: boolean;
}

/** Returns the files that podman reads before the one to write, in order. */
function filesBefore(host: HostView, path: HostPath): readonly HostPath[] {
  const files = [VENDOR, ADMINISTRATOR].flatMap((directory) => {
    const below = join(directory, "containers.conf.d");
    const names = (host.readDirectory(hostPath(below)) ?? []).filter((name) => name.endsWith(".conf")).sort();
    return [`${directory}/containers.conf`, ...names.map((name) => `${below}/${name}`)].map(hostPath);
  });
  const isLater = (file: HostPath): boolean =>
    file.startsWith(`${ADMINISTRATOR}/containers.conf.d/`) && basename(file) >= basename(path);
  return files.filter((file) => !isLater(file));
}

/** Reads `engine.hooks_dir`, whose items are directories and `{append = true}`. */
function readItems(host: HostView, file: HostPath): readonly unknown[] | undefined {
  const bytes = readConfigFile(host, file, MAX_FILE_BYTES);
  if (bytes === undefined) return undefined;
  const text = decodeUtf8(bytes);
  if (text === undefined) {
    throw new NvociError("config-invalid", `Cannot read ${quote(file, 4096)}: it is not UTF-8 text`);
  }
  const { engine } = parseToml(text, file) as { engine?: { hooks_dir?: unknown } };
  return Array.isArray(engine?.hooks_dir) ? engine.hooks_dir : undefined;
}

/**
 * Returns the directories that podman reads without nvoci's file. A file replaces the directories of earlier
 * files, or appends to them if it or an earlier one says so. Users' files and those that `CONTAINERS_CONF` names
 * are not read.
 *
 * @param path nvoci's file; files that sort after it are not read.
 * @throws {NvociError} "config-invalid" when a file cannot be read; podman cannot read it either.
 * @see containers.conf(5)
 */
export function readHooksDir(host: HostView, path: HostPath): HooksDir {
  let found: HooksDir = { directories: [USUAL], isAppended: false };
  for (const file of filesBefore(host, path)) {
    const items = readItems(host, file);
    if (items === undefined) continue;
    const given = items.filter((item) => typeof item === "string");
    const marks = items.flatMap((item) => Object.values(typeof item === "object" && item ? item : {}));
    const isAppended = marks.length > 0 ? marks.at(-1) === true : found.isAppended;
    found = { directories: isAppended ? [...found.directories, ...given] : given, isAppended };
  }
  return found;
}
