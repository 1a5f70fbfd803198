import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";

/** A file (`null`), a link (its target) or a directory (its content). */
type TreeNode = null | string | { readonly [name: string]: TreeNode };

const NAMES = ["a", "b", "c"];
const name = fc.constantFrom(...NAMES);

/** A path or a link's target: names that may exist, dots, repeated and trailing slashes, absolute or relative. */
export const wildPath: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom("", "", "/", "//"),
    fc.array(fc.oneof({ weight: 6, arbitrary: name }, fc.constantFrom("..", "..", ".", "none")), {
      minLength: 1,
      maxLength: 6,
    }),
    fc.constantFrom("/", "/", "/", "//"),
    fc.constantFrom("", "", "", "/", "/.", "//"),
  )
  .map(([start, parts, separator, end]) => `${start}${parts.join(separator)}${end}`);

const { directory } = fc.letrec<{ node: TreeNode; directory: { [name: string]: TreeNode } }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    wildPath,
    wildPath,
    tie("directory"),
    tie("directory"),
    tie("directory"),
  ),
  directory: fc.dictionary(name, tie("node"), { maxKeys: NAMES.length, noNullPrototype: true }),
}));

/** A random root. Links lead anywhere: to each other, in loops, out of the tree, or nowhere. */
export const randomTree = directory;

/** Creates a tree in an empty directory, never through a link. */
export function makeTree(path: string, tree: Exclude<TreeNode, null | string>): void {
  for (const [name, node] of Object.entries(tree)) {
    const at = join(path, name);
    if (node === null) writeFileSync(at, "");
    else if (typeof node === "string") symlinkSync(node, at);
    else {
      mkdirSync(at);
      makeTree(at, node);
    }
  }
}
