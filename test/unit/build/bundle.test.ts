import { beforeAll, describe, expect, it } from "vitest";
import { type BundleContents, bundleContents, ENTRIES } from "../../../build/bundle.ts";

const START = ["", "cli/stand-ins", "hook", "json", "model", "oci", "request", "sys", "text"];
/** `elf` stands for one file, which detects static programs. */
const PLAN = ["config", "discover", "discover/board", "driver", "elf", "host-setup", "manifest", "render"];
const EXECUTE = ["execute", "execute/cgroup", "execute/ldconfig", "execute/mount", "execute/rootfs", "plan"];
/** A board's hook never reads what is known about servers. */
const SERVER = ["binary", "discover/compat", "discover/server", "driver/facts", "ldcache"];

/** The bundled packages. */
const TOML = "smol-toml";
const YARGS = ["cliui", "yargs", "yargs-parser"];

/** What each way to call the program reads: bundles, and the folders of src/ and packages they may contain. */
const READ = [
  { title: "a container that requests nothing", bundles: ["main"], folders: START },
  {
    title: "a board with manifests",
    bundles: ["main", "documents", "hook"],
    folders: [...START, ...PLAN, ...EXECUTE],
  },
  {
    title: "a board and an image with CUDA libraries for older drivers",
    bundles: ["compat"],
    folders: [
      "binary",
      "cli/stand-ins",
      "discover/compat",
      "driver/facts",
      "elf",
      "model",
      "request",
      "text",
    ],
  },
  {
    title: "a server",
    bundles: ["main", "documents", "hook", "server"],
    folders: [...START, ...PLAN, ...EXECUTE, ...SERVER],
  },
  {
    title: "a server whose nodes are made",
    bundles: ["main", "documents", "hook", "server", "setup"],
    folders: [...START, ...PLAN, ...EXECUTE, ...SERVER],
  },
  {
    title: "libraries whose SONAMEs no ldconfig reports",
    bundles: ["soname"],
    folders: ["cli/stand-ins", "elf", "text"],
  },
  {
    title: "a configuration",
    bundles: ["config"],
    folders: ["cli/stand-ins", "config", "model", "text", TOML],
  },
  {
    title: "a call that the wrapper passes through",
    bundles: ["main", "runtime"],
    folders: [...START, "config", "runtime"],
  },
  {
    title: "the wrapper on a host whose config.toml names runtimes",
    bundles: ["main", "runtime", "runtimes"],
    folders: [...START, "config", "runtime", TOML],
  },
  {
    title: "the wrapper's edit of config.json",
    bundles: ["main", "documents", "runtime", "wrapper"],
    folders: [...START, ...PLAN, "runtime"],
  },
  {
    title: "a command that a person runs",
    bundles: ["main", "cli"],
    folders: [
      ...[...START, ...PLAN, "cli", "cli/commands", "cli/configure", "cli/doctor", "cli/why", "driver/facts"],
      ...["binary", "execute/mount", "execute/rootfs", "ldcache", "plan", TOML, ...YARGS],
    ],
  },
];

/** Returns `discover/server` for `src/discover/server/gpus.ts`, `yargs` for `node_modules/yargs/index.mjs`. */
const folderOf = (file: string): string =>
  /^node_modules\/([^/]+)/.exec(file)?.[1] ?? file.split("/").slice(1, -1).join("/");

describe("the bundles", () => {
  let contents: ReadonlyMap<string, BundleContents>;
  beforeAll(async () => {
    contents = await bundleContents(ENTRIES);
  });

  /** Returns the files that a bundle reads, itself included. */
  const readWith = (file: string): string[] => [
    file,
    ...(contents.get(file)?.imports ?? []).flatMap((imported) => readWith(imported)),
  ];
  const foldersOf = (bundles: readonly string[]): string[] => {
    const files = new Set(bundles.flatMap((name) => readWith(`${name}.cjs`)));
    const inputs = [...files].flatMap((file) => contents.get(file)?.inputs ?? []);
    return [...new Set(inputs.map(folderOf))].sort();
  };

  it.each(READ)("contain only what $title needs", ({ bundles, folders }) => {
    expect(foldersOf(bundles)).toEqual([...folders].sort());
  });

  it("read nothing that is known about servers on a board", () => {
    const files = ["main", "documents", "hook", "compat"].flatMap((name) => readWith(`${name}.cjs`));
    const inputs = files.flatMap((file) => contents.get(file)?.inputs ?? []);
    expect(inputs.filter((file) => file.startsWith("src/driver/facts/"))).toEqual([
      "src/driver/facts/l4t.ts",
    ]);
  });

  it("are all loaded by some call", () => {
    const asked = new Set(READ.flatMap(({ bundles }) => bundles));
    expect(Object.keys(ENTRIES).filter((name) => !asked.has(name))).toEqual([]);
  });

  it("contain each source file once", () => {
    const inputs = [...contents.values()].flatMap(({ inputs: own }) => own);
    expect(inputs.filter((file, index) => inputs.indexOf(file) !== index)).toEqual([]);
  });
});
