import { describe, expect, it } from "vitest";
import { MAY_DESCRIBE, MAY_IMPORT } from "../support/build/layers.ts";
import { type Import, parse, readSources } from "../support/build/source-imports.ts";

/** Any folder may import these; they import nothing. */
const NEUTRAL = ["load.ts", "version.ts"];

/** Parts that are loaded on demand: imported only as types, so that nothing is bundled twice. */
const BUNDLES = [
  "hook/inject.ts",
  "discover/server/discover-server.ts",
  "discover/compat/board-compat.ts",
  "elf/read-soname.ts",
  "host-setup/prepare-server.ts",
  "config/parse-config.ts",
  "cli/cli.ts",
  "runtime/runtime.ts",
  "runtime/edit-bundle.ts",
  "runtime/runtimes-of-config.ts",
];

/** Bundled packages. The hook and the wrapper must not load yargs. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  config: ["smol-toml"],
  cli: ["smol-toml", "yargs", "yargs-parser/browser", "cliui"],
};

/** The file that runs only in Node.js. */
const isNodeOnly = (path: string): boolean => path === "sys/node.ts";

/** Stand-ins for the platform modules of yargs. */
const isStandIn = (path: string): boolean => path.startsWith("cli/stand-ins/");

/** Files that are long because they are lists, such as one system call after another. */
const LISTS = ["sys/linux.ts"];
const MOST_LINES = 250;

const sources = readSources();
const folderOf = (path: string): string => path.split("/")[0] ?? "";
const isFile = (name: string): boolean => name.endsWith(".ts");

/** Reports whether the table lets one file refer to another. */
function isAllowed({ from, to, kind }: Import): boolean {
  if (kind === "reference" && BUNDLES.includes(to)) return true;
  const [folder, other] = [folderOf(from), folderOf(to)];
  if (folder === other || NEUTRAL.includes(to)) return !NEUTRAL.includes(from);
  if (other === "text" || (other === "model" && folder !== "text")) return true;
  if (MAY_IMPORT[folder]?.includes(other)) return true;
  return kind !== "value" && (MAY_DESCRIBE[folder]?.includes(other) ?? false);
}

/** Returns each cycle of a graph once, as its path. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const way: string[] = [];
  const visit = (node: string): void => {
    const start = way.indexOf(node);
    if (start >= 0) found.push([...way.slice(start), node].join(" → "));
    if (start >= 0 || done.has(node)) return;
    way.push(node);
    for (const next of graph.get(node) ?? []) visit(next);
    way.pop();
    done.add(node);
  };
  for (const node of graph.keys()) visit(node);
  return found;
}

/** Returns the files in the bundles of some entries: esbuild follows imports of values. */
function reachable(entries: readonly string[]): ReadonlySet<string> {
  const found = new Set(entries);
  for (const path of found) {
    for (const { from, to, kind } of between) if (from === path && kind === "value") found.add(to);
  }
  return found;
}

const imports = sources.flatMap((source) => source.imports);
const between = imports.filter(({ to }) => isFile(to));
const packages = imports.filter(({ to }) => !isFile(to));
const shown = (found: readonly Import[]): string[] =>
  found.map(({ from, to, kind }) => `${from} → ${to} (${kind})`);

describe("the layers of src/", () => {
  it("are all in the table", () => {
    const folders = new Set(sources.map(({ path }) => folderOf(path)));
    const unknown = [...folders].filter((folder) => !(folder in MAY_IMPORT) && !NEUTRAL.includes(folder));
    expect(unknown).toEqual([]);
  });

  it("import one way only, types too", () => {
    expect(between.length).toBeGreaterThan(100);
    expect(shown(between.filter((one) => !isAllowed(one)))).toEqual([]);
  });

  it.each<[string, string, Import["kind"], boolean]>([
    ["execute/x.ts", "plan/plan.ts", "value", true],
    ["plan/x.ts", "execute/execute.ts", "type", false],
    ["discover/x.ts", "sys/syscalls.ts", "type", false],
    ["model/x.ts", "oci/spec.ts", "type", false],
    ["hook/x.ts", "runtime/x.ts", "value", false],
    ["manifest/x.ts", "config/config.ts", "type", false],
    ["render/x.ts", "plan/operation.ts", "type", true],
    ["render/x.ts", "plan/plan.ts", "value", false],
    ["render/x.ts", "execute/execute.ts", "type", false],
    ["main.ts", "hook/inject.ts", "reference", true],
    ["hook/run-hook.ts", "cli/cli.ts", "reference", true],
    ["hook/run-hook.ts", "cli/cli.ts", "type", false],
    ["hook/x.ts", "load.ts", "value", true],
    ["load.ts", "hook/inject.ts", "value", false],
  ])("%s may import %s (%s): %s", (from, to, kind, allowed) => {
    expect(isAllowed({ from, to, kind })).toBe(allowed);
  });

  it("use all of what the table allows", () => {
    const used = new Set(between.map(({ from, to }) => `${folderOf(from)} ${folderOf(to)}`));
    const unused = Object.entries(MAY_IMPORT).flatMap(([folder, others]) =>
      others.filter((other) => !used.has(`${folder} ${other}`)).map((other) => `${folder} → ${other}`),
    );
    expect(unused).toEqual([]);
  });

  it("have a table without a circle", () => {
    const reachable = (folder: string, seen = new Set<string>()): Set<string> => {
      for (const next of MAY_IMPORT[folder] ?? []) {
        if (seen.has(next)) continue;
        seen.add(next);
        reachable(next, seen);
      }
      return seen;
    };
    for (const folder of Object.keys(MAY_IMPORT)) expect(reachable(folder), folder).not.toContain(folder);
  });

  it("have no import cycles between files, types included", () => {
    const imported = new Map<string, string[]>();
    for (const { from, to, kind } of between) {
      // A part that is loaded on demand may import what its loader shares with it.
      if (kind !== "reference") imported.set(from, [...(imported.get(from) ?? []), to]);
    }
    expect(circles(imported)).toEqual([]);
  });

  it("keep server-only code out of the bundle that a board's hook reads", () => {
    const read = reachable(["main.ts", "hook/inject.ts"]);
    expect(read.size).toBeGreaterThan(50);
    const alone = [
      ...["elf/", "ldcache/", "binary/", "discover/server/", "discover/compat/", "driver/facts/"],
      ...["host-setup/", "cli/", "runtime/"],
    ];
    const found = [...read].filter((path) => alone.some((folder) => path.startsWith(folder)));
    expect(found.sort()).toEqual(["elf/static-elf.ts", "host-setup/prepare-host.ts"]);
  });

  it("name Node.js modules in sys/node.ts alone", () => {
    const found = packages.filter(({ from, to }) => to.startsWith("node:") && !isNodeOnly(from));
    expect(shown(found)).toEqual([]);
  });

  it("import only bundled packages, each where it belongs", () => {
    const found = packages.filter(
      ({ from, to }) =>
        !to.startsWith("node:") && !PACKAGES[folderOf(from)]?.includes(to) && !isNodeOnly(from),
    );
    expect(shown(found)).toEqual([]);
  });

  it("are synchronous: after setns(2) an event loop's threads would still be in the host's namespaces", () => {
    const found = sources.filter(
      ({ path, isAsync, identifiers }) =>
        (isAsync || identifiers.has("Promise")) && !isNodeOnly(path) && !isStandIn(path),
    );
    expect(found.map(({ path }) => path)).toEqual([]);
  });

  it("use the engine only in main.ts, sys/linux.ts and sys/node.ts", () => {
    const owners = ["main.ts", "sys/linux.ts", "sys/node.ts"];
    const users = [
      ...between.filter(({ to }) => to === "sys/primitives.ts").map(({ from }) => from),
      ...sources.filter(({ identifiers }) => identifiers.has("nvociEngine")).map(({ path }) => path),
    ];
    expect([...new Set(users)].sort()).toEqual(owners);
  });

  it("call the kernel through sys/linux.ts, which only main.ts instantiates", () => {
    const builders = sources.filter(
      ({ identifiers, imports: own }) =>
        identifiers.has("linux") && own.some(({ to }) => to === "sys/linux.ts"),
    );
    expect(builders.map(({ path }) => path)).toEqual(["main.ts"]);
  });

  it("load other bundles only through load.ts", () => {
    const loaders = sources
      .filter(({ identifiers }) => identifiers.has("nvociRequire"))
      .map(({ path }) => path);
    expect(loaders).toEqual(["load.ts"]);
  });

  it(`have files of at most ${MOST_LINES} lines, except lists`, () => {
    const long = sources.filter(({ path, lines }) => lines > MOST_LINES && !LISTS.includes(path));
    expect(long.map(({ path, lines }) => `${path}: ${lines}`)).toEqual([]);
  });

  it("have no catch-all folders or files", () => {
    const vague = sources.filter(({ path }) =>
      /(?:^|\/)(?:utils?|helpers?|common|misc|index)(?:\/|\.ts$)/.test(path),
    );
    expect(vague.map(({ path }) => path)).toEqual([]);
  });
});

describe("circles()", () => {
  it.each<[string, Record<string, string[]>, string[]]>([
    ["finds a file that imports itself", { a: ["a"] }, ["a → a"]],
    ["finds a cycle", { a: ["b"], b: ["c", "d"], c: [], d: ["b"] }, ["b → d → b"]],
    ["finds none where two paths meet", { a: ["b", "c"], b: ["d"], c: ["d"], d: [] }, []],
  ])("%s", (_, graph, expected) => {
    expect(circles(new Map(Object.entries(graph)))).toEqual(expected);
  });
});

describe("parse()", () => {
  it("separates values, types and references, and finds expressions that load files", () => {
    const text = `
      import { a } from "./a.ts"; import type { B } from "../plan/b.ts"; import { type C } from "./c.ts";
      import D, { type E } from "./d.ts"; export { f } from "./f.ts"; import "./g.ts";
      type H = typeof import("../cli/h.ts"); const i = require("node:fs"); import("./j.ts");
      // import { no } from "./no.ts"
      const text = 'import "./neither.ts"';`;
    expect(shown(parse("hook/x.ts", text).imports)).toEqual([
      "hook/x.ts → hook/a.ts (value)",
      "hook/x.ts → plan/b.ts (type)",
      "hook/x.ts → hook/c.ts (type)",
      "hook/x.ts → hook/d.ts (value)",
      "hook/x.ts → hook/f.ts (value)",
      "hook/x.ts → hook/g.ts (value)",
      "hook/x.ts → cli/h.ts (reference)",
      "hook/x.ts → node:fs (value)",
      "hook/x.ts → hook/j.ts (value)",
    ]);
  });

  it.each([
    "const f = async () => 1",
    "async function f() {}",
    "for await (const x of y) {}",
    "await x",
  ])("reports that %j is not synchronous", (text) => {
    expect(parse("x.ts", text).isAsync).toBe(true);
  });

  it("ignores keywords in comments and strings", () => {
    const { isAsync, identifiers } = parse("x.ts", "/** async await Promise */ const x = 'await Promise';");
    expect([isAsync, identifiers.has("Promise")]).toEqual([false, false]);
  });
});
