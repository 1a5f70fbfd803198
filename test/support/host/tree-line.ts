/** A parsed line of a tree, such as `char /dev/nvmap 10:50 0660 0:44`. */
export type TreeLine =
  | { readonly kind: "dir"; readonly path: string; readonly mode: number; readonly owner: Owner }
  | {
      readonly kind: "file";
      readonly path: string;
      readonly mode: number;
      readonly owner: Owner;
      readonly content: string;
    }
  | { readonly kind: "symlink"; readonly path: string; readonly target: string }
  | {
      readonly kind: "char" | "block";
      readonly path: string;
      readonly major: number;
      readonly minor: number;
      readonly mode: number;
      readonly owner: Owner;
    }
  | { readonly kind: "fifo" | "socket"; readonly path: string; readonly mode: number; readonly owner: Owner };

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** A JSON string or a run of non-space characters. */
const WORD = /"(?:[^"\\]|\\.)*"|\S+/g;

/**
 * Parses one line of a tree. Tokens may be JSON strings, which can contain spaces and line breaks.
 *
 * ```
 * dir /usr/lib [MODE] [UID:GID]
 * file /usr/lib/libx.so [MODE] [UID:GID] [= "content"]
 * symlink /a -> b
 * char /dev/nvmap MAJOR:MINOR [MODE] [UID:GID]
 * block /dev/sda MAJOR:MINOR [MODE] [UID:GID]
 * fifo /run/pipe [MODE] [UID:GID]
 * socket /run/sock [MODE] [UID:GID]
 * ```
 *
 * @throws Error for any other line, so that a typing error in a test does not pass for an empty tree.
 */
export function parseTreeLine(line: string): TreeLine {
  const words = [...line.matchAll(WORD)].map(([word]) => (word.startsWith('"') ? JSON.parse(word) : word));
  const wrong = (): never => {
    throw new Error(`Cannot parse "${line}": it is not a line of a tree`);
  };
  const [kind, path] = words.splice(0, 2);
  if (!path?.startsWith("/")) wrong();
  const pair = (): [number, number] => {
    const numbers = /^(\d+):(\d+)$/.exec(words.shift() ?? "") ?? wrong();
    return [Number(numbers[1]), Number(numbers[2])];
  };
  const mode = (byDefault: number): number =>
    /^0[0-7]+$/.test(words[0] ?? "") ? Number.parseInt(words.shift(), 8) : byDefault;
  const owner = (): Owner => {
    if (!/^\d+:\d+$/.test(words[0] ?? "")) return { uid: 0, gid: 0 };
    const [uid, gid] = pair();
    return { uid, gid };
  };
  const read = (): TreeLine => {
    switch (kind) {
      case "dir":
        return { kind, path, mode: mode(0o755), owner: owner() };
      case "file": {
        const start = { kind, path, mode: mode(0o644), owner: owner() } as const;
        return { ...start, content: words[0] === "=" ? String(words.splice(0, 2)[1] ?? wrong()) : "" };
      }
      case "symlink":
        return words.shift() === "->" ? { kind, path, target: words.shift() ?? wrong() } : wrong();
      case "char":
      case "block": {
        const [major, minor] = pair();
        return { kind, path, major, minor, mode: mode(0o600), owner: owner() };
      }
      case "fifo":
      case "socket":
        return { kind, path, mode: mode(0o644), owner: owner() };
      default:
        return wrong();
    }
  };
  const result = read();
  return words.length === 0 ? result : wrong();
}
