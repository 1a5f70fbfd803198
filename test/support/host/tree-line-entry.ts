import type { TreeEntry } from "../../../fixtures/host/tree-entry.ts";
import { parseTreeLine } from "./tree-line.ts";

/**
 * Converts a line of a tree to an entry that can be written to disk. Owners are dropped, except a device's group.
 *
 * @param root prefix of the path.
 * @throws Error for a socket.
 */
export function treeLineEntry(line: string, root = ""): TreeEntry {
  const parsed = parseTreeLine(line);
  const path = root + parsed.path;
  switch (parsed.kind) {
    case "dir":
      return { kind: "directory", path };
    case "file":
      return { kind: "file", path, content: parsed.content, mode: parsed.mode };
    case "symlink":
      return { kind: "link", path, target: parsed.target };
    case "char":
    case "block": {
      const { major, minor, mode, owner } = parsed;
      const type = parsed.kind === "char" ? "c" : "b";
      return { kind: "device", path, type, major, minor, mode, gid: owner.gid };
    }
    case "fifo":
      return { kind: "fifo", path };
    default:
      throw new Error(`Cannot write "${line}" to disk: it is a socket`);
  }
}
