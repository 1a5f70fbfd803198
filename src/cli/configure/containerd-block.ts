import { parse, stringify, TomlError } from "smol-toml";
import { readConfigFile } from "../../config/load-config.ts";
import { parseToml } from "../../config/table-reader.ts";
import { NvociError } from "../../model/errors.ts";
import { dirname, type HostPath, hostPath } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";
import { quote } from "../../text/quote.ts";
import { decodeUtf8 } from "../../text/utf8.ts";

/** The line before nvoci's block in a file. */
const BLOCK_BEGIN = '# nvoci: begin, made by "nvoci configure containerd"';

/** The line after it. */
const BLOCK_END = "# nvoci: end";

const ADDED_LINE = "# nvoci: added";
const FORMER_LINE = "# nvoci: was ";

/**
 * Sets the name of the default runtime: in the line that has one, or else in the plugin's table.
 *
 * @returns `undefined` when the file has neither.
 */
export function setDefault(text: string, plugin: string, name: string): string | undefined {
  const line = `default_runtime_name = ${JSON.stringify(name)}`;
  const given = /^([ \t]*)(default_runtime_name[ \t]*=[^\n]*)$/m;
  if (given.test(text)) {
    return text.replace(
      given,
      (_, indent: string, former: string) => `${indent}${line} ${FORMER_LINE}${former}`,
    );
  }
  const header = text.split("\n").findIndex((candidate) => {
    const [, inside] = /^\s*\[([^[\]]+)\]/.exec(candidate) ?? [];
    return inside?.replace(/['"\s]/g, "") === `plugins.${plugin}.containerd`;
  });
  if (header < 0) return undefined;
  const lines = text.split("\n");
  lines.splice(header + 1, 0, `${line} ${ADDED_LINE}`);
  return lines.join("\n");
}

/** Matches a line that setDefault() changed; the former line follows the mark. */
const FORMER = new RegExp(`^([ \\t]*)default_runtime_name = "[^"]*" ${FORMER_LINE}(.*)$`);

/** Appends nvoci's block, after an empty line. If that line is missing, the text did not end in a line break. */
export function addBlock(text: string, block: string): string {
  return `${text}\n${BLOCK_BEGIN}\n${block}\n${BLOCK_END}\n`;
}

/** Reports whether a block still is exactly as nvoci wrote it, without comments or other lines. */
function isOurs(block: readonly string[]): boolean {
  const text = block.join("\n");
  try {
    return stringify(parse(text)).trim() === text;
  } catch (error) {
    if (error instanceof TomlError) return false;
    throw error;
  }
}

/**
 * Removes everything that nvoci added to a text.
 *
 * @param path the file's name in errors.
 * @throws {NvociError} "file-invalid" when the block has no end or contains other lines: which lines to keep is
 * then unknown.
 */
export function strip(text: string, path: string): string {
  const all = text.split("\n");
  const begin = all.indexOf(BLOCK_BEGIN);
  if (begin < 0) return all.filter(isKept).map(withoutMark).join("\n");
  const end = all.indexOf(BLOCK_END, begin);
  const refuse = (reason: string, hint: string): NvociError =>
    new NvociError(
      "file-invalid",
      `Cannot edit ${quote(path, 4096)}: the block that begins in line ${begin + 1} ${reason}`,
      { hint: `${hint}; nothing has been changed` },
    );
  if (end < 0)
    throw refuse("has no end", `add the line ${quote(BLOCK_END)} after the lines that nvoci wrote`);
  if (!isOurs(all.slice(begin + 1, end))) {
    throw refuse("has lines that nvoci did not write", `move them below the line ${quote(BLOCK_END)}`);
  }
  const before = all.slice(0, begin);
  const after = all.slice(end + 1);
  const isSetOff = before.at(-1) === "";
  if (isSetOff) before.pop();
  else if (before.length > 0 && after.join("") === "") after.pop();
  return strip([...before, ...after].join("\n"), path);
}

const isKept = (line: string): boolean => !line.endsWith(ADDED_LINE);

const withoutMark = (line: string): string => line.replace(FORMER, "$1$2");

const MAIN = hostPath("/etc/containerd/config.toml");
const DROP_IN = hostPath("/etc/containerd/conf.d/99-nvoci.toml");

/** Far more than any real file has. */
const MAX_FILE_BYTES = 1 << 24;

/** The first version that merges imported files into a plugin's configuration; older ones replace it by them. */
const MERGING_VERSION = 3;

/**
 * Returns containerd's main configuration if containerd merges imported files into it.
 *
 * @param path the file to write; the main file itself is never imported.
 * @throws {NvociError} "config-invalid" when the main file cannot be read.
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
  const bytes = readConfigFile(host, MAIN, MAX_FILE_BYTES);
  return bytes && decodeUtf8(bytes);
}

/**
 * Returns the drop-in file for a registration, if containerd merges such files into its main one.
 *
 * @returns `undefined` when the main file must be changed, or already is.
 * @throws {NvociError} "config-invalid" when the main file cannot be read.
 * @see containerd-config.toml(5), "imports"
 */
export function containerdDropIn(host: HostView): HostPath | undefined {
  const imports = mergingMain(host, DROP_IN)?.imports;
  const isImported = Array.isArray(imports) && imports.includes(`${dirname(DROP_IN)}/*.toml`);
  return isImported && !readText(host)?.includes(BLOCK_BEGIN) ? DROP_IN : undefined;
}
