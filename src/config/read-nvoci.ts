import { containerPath, type HostPath } from "../model/paths.ts";
import { type Config, DEFAULT_CONFIG, type ExtraDirectory } from "./config.ts";
import type { TableReader } from "./table-reader.ts";

/**
 * Reads the table `nvoci`, the keys that no other program has.
 *
 * @param alternateRoots what holds where the table does not say.
 * @throws NvociError `config-invalid`
 */
export function readNvoci(table: TableReader, alternateRoots: readonly HostPath[]): Config["nvoci"] {
  const defaults = DEFAULT_CONFIG.nvoci;
  const nvoci = {
    alternateRoots: table.paths("alternate-roots") ?? alternateRoots,
    csvMounts: table.oneOf("csv-mounts", ["auto", "all", "base"] as const) ?? defaults.csvMounts,
    ldconfig: table.boolean("ldconfig") ?? defaults.ldconfig,
    librarySearchPaths: table.paths("library-search-paths") ?? defaults.librarySearchPaths,
    directories: table.tables("directories").map(readDirectory),
  };
  table.reportUnknown();
  return nvoci;
}

function readDirectory(table: TableReader): ExtraDirectory {
  const host = table.path("host");
  if (host === undefined) throw table.invalid("host", "is missing: it is a directory of the host");
  const container = table.path("container") ?? host;
  if (container === "/") throw table.invalid("container", 'must not be "/", which would hide the image');
  table.reportUnknown();
  return { host, container: containerPath(container) };
}
