import { parse, stringify, TomlError } from "smol-toml";
import { NvociError } from "../../model/errors.ts";
import { quote } from "../../model/quote.ts";

/** The line before what is ours in a file. */
export const BLOCK_BEGIN = '# nvoci: begin, made by "nvoci configure containerd"';

/** The line after it. */
const BLOCK_END = "# nvoci: end";

const ADDED_LINE = "# nvoci: added";
const FORMER_LINE = "# nvoci: was ";

/**
 * Puts the name of the default runtime where the file has one, or into the table of a plugin.
 *
 * @returns `undefined` where the file has neither.
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

/** A line that setDefault() has changed: what it was stands behind the mark. */
const FORMER = new RegExp(`^([ \\t]*)default_runtime_name = "[^"]*" ${FORMER_LINE}(.*)$`);

/**
 * The text with a block of ours at its end. A blank line sets it off; where there is none, the text had no line break
 * at its end.
 */
export function addBlock(text: string, block: string): string {
  return `${text}\n${BLOCK_BEGIN}\n${block}\n${BLOCK_END}\n`;
}

/** Whether the lines between the marks are in the manner in which they were written: no comment, no line of others. */
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
 * The text without anything of ours.
 *
 * @param path for the error.
 * @throws NvociError "file-invalid" for a block without its end, and for one that holds lines of somebody else: nobody
 * could say which lines to keep.
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
  if (end < 0) throw refuse("has no end", `write the line ${quote(BLOCK_END)} after what nvoci has made`);
  if (!isOurs(all.slice(begin + 1, end))) {
    throw refuse("has lines that nvoci has not made", `move them behind the line ${quote(BLOCK_END)}`);
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
