import { parseToml } from "../../config/parse-toml.ts";
import { readConfigFile } from "../../config/read-config-file.ts";
import type { HostView } from "../../model/host-view.ts";
import { dirname, type HostPath, hostPath } from "../../model/paths.ts";
import { decodeUtf8 } from "../../model/utf8.ts";
import { BLOCK_BEGIN } from "./containerd-block.ts";

const MAIN = hostPath("/etc/containerd/config.toml");
const DROP_IN = hostPath("/etc/containerd/conf.d/99-nvoci.toml");

/** Far above any real file; a bound all the same. */
const SIZE_LIMIT = 1 << 24;

/** The first version whose imported files add to a plugin's configuration; before, they take its place. */
const MERGING_VERSION = 3;

/**
 * containerd's main configuration where it adds imported files to its own.
 *
 * @param path the file that is to be written; the main one is imported by none.
 * @throws NvociError "config-invalid" for a main file that cannot be read.
 */
export function mergingMain(host: HostView, path: HostPath): Readonly<Record<string, unknown>> | undefined {
  const main = path === MAIN ? undefined : readMain(host);
  return Number(main?.version ?? 1) >= MERGING_VERSION ? main : undefined;
}

function readMain(host: HostView): Readonly<Record<string, unknown>> | undefined {
  const text = readText(host);
  return text === undefined ? undefined : parseToml(text, MAIN);
}

function readText(host: HostView): string | undefined {
  const bytes = readConfigFile(host, MAIN, SIZE_LIMIT);
  return bytes && decodeUtf8(bytes);
}

/**
 * The file for a registration where containerd reads files beside its main one and adds them to it.
 *
 * @returns `undefined` where the main file has to be changed, or has been.
 * @throws NvociError "config-invalid" for a main file that cannot be read.
 * @see containerd-config.toml(5), "imports"
 */
export function containerdDropIn(host: HostView): HostPath | undefined {
  const imports = mergingMain(host, DROP_IN)?.imports;
  const isImported = Array.isArray(imports) && imports.includes(`${dirname(DROP_IN)}/*.toml`);
  return isImported && !readText(host)?.includes(BLOCK_BEGIN) ? DROP_IN : undefined;
}
