/** The line before what is ours in a file. */
export const BLOCK_BEGIN = '# nvoci: begin, made by "nvoci configure containerd"';

/** The line after it. */
export const BLOCK_END = "# nvoci: end";

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

/** The text without anything of ours. */
export function strip(text: string): string {
  const lines: string[] = [];
  let inBlock = false;
  for (const line of text.split("\n")) {
    if (line === BLOCK_BEGIN) {
      inBlock = true;
      // The blank line that sets the block off.
      if (lines.at(-1) === "") lines.pop();
    } else if (inBlock) inBlock = line !== BLOCK_END;
    else if (line.includes(FORMER_LINE)) {
      lines.push(
        `${/^\s*/.exec(line)?.[0] ?? ""}${line.slice(line.indexOf(FORMER_LINE) + FORMER_LINE.length)}`,
      );
    } else if (!line.endsWith(ADDED_LINE)) lines.push(line);
  }
  return lines.join("\n");
}
