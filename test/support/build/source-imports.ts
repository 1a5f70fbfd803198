import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { root } from "../../../build/root.ts";

const SOURCE = join(root, "src");

/** A reference from a source file to another file or a package. */
export interface Import {
  /** Path below src/. */
  readonly from: string;
  /** Path below src/, or the name of a package. */
  readonly to: string;
  /** `type`: erased by the compiler; `reference`: the type expression `import("…")`; `value`: any other. */
  readonly kind: "value" | "type" | "reference";
}

/** A parsed source file. */
interface SourceFile {
  /** Path below src/. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  /** Names used as identifiers or property names, not those in comments and strings. */
  readonly identifiers: ReadonlySet<string>;
  /** Whether the file has an `async` function or awaits something. */
  readonly isAsync: boolean;
}

/** Returns every TypeScript file below src/, parsed. */
export function readSources(): SourceFile[] {
  return readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .sort()
    .map((path) => parse(path, readFileSync(join(SOURCE, path), "utf8")));
}

/** Parses one file. Exported for its own test. */
export function parse(path: string, text: string): SourceFile {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022);
  const imports: Import[] = [];
  const identifiers = new Set<string>();
  let isAsync = false;
  const add = (name: string, kind: Import["kind"]): void => {
    const to = name.startsWith(".") ? relative(SOURCE, join(SOURCE, dirname(path), name)) : name;
    imports.push({ from: path, to, kind });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) identifiers.add(node.text);
    if (node.kind === ts.SyntaxKind.AsyncKeyword || ts.isAwaitExpression(node)) isAsync = true;
    if (ts.isForOfStatement(node) && node.awaitModifier !== undefined) isAsync = true;
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      add(node.moduleSpecifier.text, isTypeOnly(node.importClause) ? "type" : "value");
    }
    if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      add(node.moduleSpecifier.text, node.isTypeOnly ? "type" : "value");
    }
    if (
      ts.isImportTypeNode(node) &&
      ts.isLiteralTypeNode(node.argument) &&
      ts.isStringLiteral(node.argument.literal)
    ) {
      add(node.argument.literal.text, "reference");
    }
    if (ts.isCallExpression(node)) {
      const [argument] = node.arguments;
      const loads =
        node.expression.kind === ts.SyntaxKind.ImportKeyword ||
        (ts.isIdentifier(node.expression) && node.expression.text === "require");
      if (loads && argument && ts.isStringLiteral(argument)) add(argument.text, "value");
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { path, lines: text.split("\n").length - 1, imports, identifiers, isAsync };
}

const isTypeOnly = (clause: ts.ImportClause | undefined): boolean => {
  if (clause === undefined) return false;
  if (clause.isTypeOnly) return true;
  const bindings = clause.namedBindings;
  return (
    clause.name === undefined &&
    bindings !== undefined &&
    ts.isNamedImports(bindings) &&
    bindings.elements.length > 0 &&
    bindings.elements.every((element) => element.isTypeOnly)
  );
};
