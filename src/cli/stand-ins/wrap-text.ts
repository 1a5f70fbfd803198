/**
 * Breaks lines at spaces so that none is longer than `width` characters, and cuts words that are longer. Escape
 * sequences and wide characters are not supported.
 */
export function wrapText(text: string, width: number): string {
  if (width < 1) return text;
  return text
    .split("\n")
    .map((line) => wrapLine(line, width))
    .join("\n");
}

function wrapLine(line: string, width: number): string {
  const rows: string[] = [];
  let row: string | undefined;
  for (const word of line.split(" ")) {
    row = row === undefined ? word : `${row} ${word}`;
    if (row.length <= width) continue;
    const before = row.slice(0, row.length - word.length).trimEnd();
    if (before !== "") rows.push(before);
    for (row = word; row.length > width; row = row.slice(width)) rows.push(row.slice(0, width));
  }
  return [...rows, row ?? ""].join("\n").trimEnd();
}
