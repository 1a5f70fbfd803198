import { parseRuntimes } from "../config/parse-runtime.ts";
import { parseToml, TableReader } from "../config/table-reader.ts";
import { NvociError } from "../model/errors.ts";
import type { HostPath } from "../model/paths.ts";
import { quote } from "../text/quote.ts";
import { decodeUtf8 } from "../text/utf8.ts";

/*
 * Small because it is a part of the program of its own: most hosts have no config.toml.
 */

/**
 * Reads `nvidia-container-runtime.runtimes` of a config.toml.
 *
 * @param bytes the file; `undefined`: the named file does not exist.
 * @throws {NvociError} "config-invalid" when the file does not exist or is not valid.
 */
export function runtimesOfConfig(bytes: Uint8Array | undefined, file: HostPath): readonly string[] {
  const text = bytes && decodeUtf8(bytes);
  if (text === undefined) {
    const reason = bytes === undefined ? "there is no such file" : "it is not UTF-8 text";
    throw new NvociError("config-invalid", `Cannot read ${quote(file, 4096)}: ${reason}`);
  }
  const top = new TableReader(file, parseToml(text, file), () => {});
  return parseRuntimes(top.table("nvidia-container-runtime"));
}
