import { parse, TomlError } from "smol-toml";
import { NvociError } from "../model/errors.ts";
import type { PlainObject } from "../model/object-reader.ts";
import { quote } from "../model/quote.ts";

/** Nothing in the file is deeper than four; the parser calls itself for each level. */
const MAX_DEPTH = 16;

/**
 * Parses a TOML 1.0 document.
 *
 * @param fileName for the error.
 * @throws NvociError `config-invalid` with line and column.
 */
export function parseToml(text: string, fileName: string): PlainObject {
  try {
    return parse(text, { maxDepth: MAX_DEPTH });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The message goes on with a picture of the place, over several lines.
    const reason = (error.message.split("\n")[0] as string).replace("Invalid TOML document: ", "");
    throw new NvociError(
      "config-invalid",
      `Cannot read ${quote(fileName, 4096)}: line ${error.line}, column ${error.column}: ${reason}`,
    );
  }
}
