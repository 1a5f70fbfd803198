import { readFileSync } from "node:fs";

/** Values of OpenEmbedded's variables. */
export type Values = Readonly<Record<string, string>>;

/** Directories that OpenEmbedded defines for every recipe. */
const DIRECTORIES: Values = {
  bindir: "/usr/bin",
  datadir: "/usr/share",
  docdir: "/usr/share/doc",
  libdir: "/usr/lib",
  sysconfdir: "/etc",
};

/** A recipe or a class, whose functions run in a shell as bitbake would run them. */
export interface Recipe {
  readonly text: string;
  /** The values of plain assignments: without overrides, on one line. */
  readonly values: Values;
  /** Returns a shell function's body with its variables expanded, after bitbake's functions for messages. */
  task(name: string, values: Values): string;
  /** Returns the patterns of a package's files. */
  files(name: string): readonly string[];
}

const MESSAGES = `bbwarn() { echo "WARNING: $*" >&2; }
bbfatal() { echo "ERROR: $*" >&2; exit 1; }
`;

/** Expands variables as bitbake does: it leaves what it does not know. */
export const expand = (text: string, values: Values): string =>
  text.replace(/\$\{([\w-]+)\}/g, (whole, name: string) =>
    name in values ? expand(values[name] ?? "", values) : whole,
  );

export function readRecipe(path: string): Recipe {
  const text = readFileSync(path, "utf8");
  const assignments = text.matchAll(/^([A-Z0-9_]+) \?{0,2}= "(.*)"$/gm);
  const values = Object.fromEntries([...assignments].map(([, name = "", value = ""]) => [name, value]));
  return {
    text,
    values,
    task(name, given) {
      const [, body] = new RegExp(`^${name}\\(\\) \\{\\n([\\s\\S]*?)^\\}`, "m").exec(text) ?? [];
      if (body === undefined) throw new Error(`${path} has no ${name}`);
      const lines = expand(body, { ...DIRECTORIES, ...values, ...given });
      const [unknown] = /\$\{[\w-]+\}/.exec(lines) ?? [];
      if (unknown !== undefined) throw new Error(`${name} in ${path} uses ${unknown}`);
      return MESSAGES + lines;
    },
    files(name) {
      const [, claims = ""] = new RegExp(`^FILES[:_]\\$\\{PN\\}-${name} = "(.*)"$`, "m").exec(text) ?? [];
      return expand(claims, DIRECTORIES).split(" ");
    },
  };
}
