import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageVersion } from "../../../build/package/binary-package.ts";
import { PACKAGES } from "../../../build/package/contents.ts";
import { root } from "../../../build/root.ts";
import { parseCommandLine } from "../../../src/cli/parse-command-line.ts";
import { DEFAULT_CONFIG } from "../../../src/config/config.ts";
import { parseConfig } from "../../../src/config/parse-config.ts";
import { collectFindings } from "../../support/cli/collect-findings.ts";

const read = (path: string): string => readFileSync(join(root, "packaging", path), "utf8");
const example = read("config.toml");
/** The example with its settings uncommented. */
const inForce = example.replace(/^#(?=[a-z-]+ = )/gm, "");
/** The value of each setting in the example, by names such as `nvoci.csv-mounts`. */
const values = new Map<string, string>();
let prefix = "";
for (const [, table, key, value = ""] of inForce.matchAll(/^\[(.*)\]$|^([a-z-]+) = (.*)$/gm)) {
  if (table === undefined) values.set(`${prefix}${key}`, value);
  else prefix = `${table}.`;
}

/** What nvoci-config(5) has about one key. */
interface ManualEntry {
  readonly type: string;
  /** As the page prints it; `undefined` for "no default". */
  readonly standard: string | undefined;
  /** The explanation as plain text. */
  readonly text: string;
}

/** Reads the entries `.It Ic KEY Pq TYPE, default Li VALUE` of the page's tables, by the full names of the keys. */
function manualEntries(page: string): ReadonlyMap<string, ManualEntry> {
  const entries = new Map<string, ManualEntry>();
  for (const [, title = "", section = ""] of page.matchAll(/^\.Ss (.*)\n([\s\S]*?)(?=^\.S[hs] )/gm)) {
    const [, table] = /^\[(.*)\]$/.exec(title) ?? [];
    for (const [, key, type = "", standard, body = ""] of section.matchAll(
      /^\.It Ic (\S+) Pq (.*), (?:no default|default Li (.*))\n([\s\S]*?)(?=^\.(?:It|El)\b)/gm,
    )) {
      entries.set(table === undefined ? `${key}` : `${table}.${key}`, {
        type,
        standard: standard?.replaceAll("\\(dq", '"'),
        text: body
          .replace(/^\.\w+ /gm, "")
          .replace(/ ([.,;])$/gm, "$1")
          .replaceAll("\n", " ")
          .trim(),
      });
    }
  }
  return entries;
}

const parse = (text: string) => collectFindings((report) => parseConfig(text, "config.toml", report));

describe("packaging/config.toml", () => {
  it("sets nothing as shipped", () => {
    expect(parse(example)).toEqual({ value: DEFAULT_CONFIG, findings: [] });
  });

  it("shows the defaults", () => {
    const { value: config, findings } = parse(inForce);
    expect(findings).toEqual([]);
    const { nvidiaContainerCli: cli, nvidiaContainerRuntime: runtime } = DEFAULT_CONFIG;
    // These have no default, or one that depends on the host; the example shows their form.
    expect({
      ...config,
      nvidiaContainerCli: { ...config.nvidiaContainerCli, debug: cli.debug, ldcache: cli.ldcache },
      nvidiaContainerRuntime: {
        ...config.nvidiaContainerRuntime,
        debug: runtime.debug,
        modes: {
          ...config.nvidiaContainerRuntime.modes,
          csv: { ...config.nvidiaContainerRuntime.modes.csv, compatContainerRoot: undefined },
        },
      },
    }).toEqual(DEFAULT_CONFIG);
  });

  it("contains every setting", () => {
    const count = (value: unknown): number =>
      typeof value === "object" && value !== null && !Array.isArray(value) && !("from" in value)
        ? Object.values(value).reduce<number>((sum, member) => sum + count(member), 0)
        : 1;
    expect(values.size).toBe(count(DEFAULT_CONFIG));
  });
});

describe("the manual", () => {
  it("gives each key of config.toml an entry with its type, its default and a sentence", () => {
    const entries = manualEntries(read("man/nvoci-config.5"));
    expect([...entries.keys()].sort()).toEqual([...values.keys()].sort());
    const faults = [...entries].filter(
      ([key, { type, standard, text }]) =>
        !/^(boolean|string|host path|container path|array of [a-z ]+)$/.test(type) ||
        (standard !== undefined && standard !== values.get(key)) ||
        !/^[A-Z].{15,}\.$/.test(text),
    );
    expect(faults).toEqual([]);
  });

  it("names every command", () => {
    const help = parseCommandLine(["--help"]);
    const commands = [...("text" in help ? help.text : "").matchAll(/^ {2}nvoci (\w+)/gm)].map(
      ([, word]) => word,
    );
    const page = read("man/nvoci.1");
    expect(commands.length).toBeGreaterThan(8);
    expect(commands.filter((word) => !page.includes(`.It Cm ${word}`))).toEqual([]);
  });

  it("refers only to pages that exist", () => {
    const pages = readdirSync(join(root, "packaging/man"));
    const references = pages.flatMap((page) =>
      [...read(`man/${page}`).matchAll(/^\.Xr (nv\S+) (\d)/gm)].map(
        ([, name, section]) => `${name}.${section}`,
      ),
    );
    expect(references.length).toBeGreaterThan(10);
    expect(references.filter((reference) => !pages.includes(reference))).toEqual([]);
  });
});

describe("the packages", () => {
  it("install nothing outside /usr except config.toml, a conffile of nvoci-compat", () => {
    const paths = Object.values(PACKAGES).flatMap(({ files }) => files.map(({ path }) => path));
    expect(paths.length).toBeGreaterThan(10);
    const outside = Object.entries(PACKAGES).flatMap(([name, { files }]) =>
      files.filter(({ path, conffile }) => conffile || !path.startsWith("usr/")).map((file) => [name, file]),
    );
    const path = "etc/nvidia-container-runtime/config.toml";
    expect(outside).toEqual([["nvoci-compat", { path, source: "packaging/config.toml", conffile: true }]]);
  });

  it("share no path", () => {
    const paths = Object.values(PACKAGES).flatMap(({ files }) => files.map(({ path }) => path));
    expect(new Set(paths).size).toBe(paths.length);
  });

  it("are made from files that exist", () => {
    const sources = Object.entries(PACKAGES).flatMap(([name, { files, debian, scripts = [] }]) => [
      ...files.flatMap(({ source }) => source ?? []),
      ...debian.flatMap(({ source }) => source ?? []),
      ...scripts.map((script) => `packaging/deb/${name}.${script}`),
      ...["deb", "ipk"].map((kind) => `packaging/${kind}/${name}.control`),
    ]);
    expect(sources.filter((source) => !existsSync(join(root, source)))).toEqual([]);
  });

  it("have scripts that change docker's daemon.json only through the program", () => {
    for (const script of PACKAGES["nvoci-compat"].scripts ?? []) {
      const text = read(`deb/nvoci-compat.${script}`);
      expect(text).toMatch(/^#!\/bin\/sh$/m);
      expect(text).toMatch(/^set -e$/m);
      expect(text).not.toMatch(/>\s*\/etc|\b(sed|cp|tee)\b|systemctl (re)?(start|load)/);
      expect(text).not.toMatch(/\bmv\b.*(daemon|docker)|>.*(daemon|docker)\b.*\.json/);
    }
  });
});

describe("packageVersion()", () => {
  it.each([
    ["1.2.3", "1.2.3-1"],
    ["1.2.3-rc.1", "1.2.3~rc.1-1"],
  ])("converts %s to %s", (version, expected) => {
    expect(packageVersion(version)).toBe(expected);
  });
});
