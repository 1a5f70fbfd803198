/**
 * Converts one of esbuild's ESM outputs to CommonJS. esbuild's own conversion makes a getter for each export and
 * calls it at each use, which took a quarter of the program's start. This one copies the values once. That is safe
 * because chunks have no import cycles and a chunk runs to its end before its importer starts.
 *
 * @param source ESM as esbuild prints it: import and export statements begin at the start of a line.
 * @throws Error for an unknown statement.
 */
export function commonJs(source: string): string {
  const code = source
    .replace(
      /^import \{([^}]*)\} from ("[^"]*");$/gm,
      (_, names: string, file: string) => `const {${names.replaceAll(" as ", ": ")}} = require(${file});`,
    )
    .replace(/^import ("[^"]*");$/gm, "require($1);")
    .replace(/^export \{([^}]*)\};$/gm, (_, names: string) => {
      const properties = names.replace(/([^\s,]+) as ([^\s,]+)/g, "$2: $1");
      return `module.exports = {${properties}};`;
    })
    // src/load.ts uses this name because esbuild would wrap `require`.
    .replaceAll("nvociRequire", "require");
  const left = /^(import|export)\b.*$/m.exec(code);
  if (left) throw new Error(`Cannot convert "${left[0]}" to CommonJS: this statement is unknown`);
  return code;
}
