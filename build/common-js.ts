/**
 * Turns one of esbuild's ESM outputs into CommonJS. esbuild's own conversion makes a getter for each export and looks
 * it up at each use, which took a quarter of the program's start; this copies the values once. It may, because chunks
 * do not import each other in a circle, and because a chunk has run to its end before its importer starts.
 *
 * @param source ESM as esbuild prints it: whole import and export statements at the beginnings of lines
 * @throws Error for a statement it does not know
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
    // The name under which src/load.ts knows it: esbuild would wrap a `require` of the sources.
    .replaceAll("nvociRequire", "require");
  const left = /^(import|export)\b.*$/m.exec(code);
  if (left) throw new Error(`Cannot turn "${left[0]}" into CommonJS`);
  return code;
}
