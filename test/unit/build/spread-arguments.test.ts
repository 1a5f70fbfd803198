import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { root } from "../../../build/root.ts";
import { readSources } from "../../support/build/source-imports.ts";

/**
 * Calls whose arguments are a list: `f(...list)` and `f.apply(x, list)`. The native program's JavaScript engine
 * accepts at most 65,534 arguments, so each list here is bounded, for the reason given.
 */
const BOUNDED: Readonly<Record<string, string>> = {
  "execute/mount/mount-table.ts: String.fromCharCode": "4096 bytes at a time",
  "execute/rootfs/resolve.ts: rest.push": "the kernel limits a link's text to 4095 bytes",
  "host-setup/plan-nodes.ts: actions.push": "a directory and a link of one node",
  "text/utf8.ts: String.fromCharCode.apply": "one chunk of bytes",
};

/** Returns the callee of every call in a file that makes arguments of a list. */
function spreadCalls(path: string): string[] {
  const text = readFileSync(join(root, "src", path), "utf8");
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const callee = node.expression.getText();
      if (node.arguments?.some(ts.isSpreadElement) || /\.apply$/.test(callee)) found.push(callee);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

describe("the source", () => {
  it("makes arguments only of lists with a known bound", () => {
    const calls = readSources().flatMap(({ path }) =>
      spreadCalls(path).map((callee) => `${path}: ${callee}`),
    );
    expect([...new Set(calls)].sort()).toEqual(Object.keys(BOUNDED).sort());
  });
});
