import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { discoverManifestEntries } from "../../../../src/discover/board/discover-board.ts";
import { type MountSpec, parseManifest } from "../../../../src/manifest/parse-manifest.ts";
import type { ContainerEdits } from "../../../../src/model/container-edits.ts";
import { dirname, join as joinPath } from "../../../../src/model/paths.ts";
import { collectFindings } from "../../../support/cli/collect-findings.ts";
import { memoryHost } from "../../../support/host/memory-host.ts";
import { hostOfManifest } from "./host-of-manifest.ts";

const DIRECTORY = fileURLToPath(new URL("../../../../../shared/manifests", import.meta.url));
const present = existsSync(DIRECTORY);
const files = present
  ? readdirSync(DIRECTORY, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".csv"))
      .sort()
      .map((name) => join(DIRECTORY, name))
  : [];

const sourcesOf = ({ deviceNodes, mounts, links }: ContainerEdits): string[] =>
  [...deviceNodes, ...mounts, ...links].map(({ source }) => source);

const pathsOf = ({ deviceNodes, mounts, links }: ContainerEdits): string[] => [
  ...deviceNodes.map(({ path }) => path),
  ...[...mounts, ...links].map(({ containerPath }) => containerPath),
];

/** Entries that contradict an earlier one, as in samples for parsers: one path is both a file and a directory. */
const contradicting = (specs: readonly MountSpec[]): string[] =>
  specs
    .filter(({ type, path }, index) =>
      specs
        .slice(0, index)
        .some((other) => other.path === path && (other.type === "dir") !== (type === "dir")),
    )
    .map(({ source }) => source);

/** Resolves a link's target among the edits, links in its directory part included. */
function leadsTo({ links }: ContainerEdits, from: string, target: string): string {
  let path = joinPath(dirname(from), target);
  for (const { containerPath, target: text } of links) {
    const directory = joinPath(dirname(containerPath), text);
    if (path.startsWith(`${containerPath}/`)) path = directory + path.slice(containerPath.length);
  }
  return path;
}

function discover(
  specs: ReturnType<typeof parseManifest>["specs"],
  tree: readonly string[],
  debianLike: boolean,
) {
  const host = memoryHost(tree);
  const input = { host, specs, triplet: "aarch64-linux-gnu", isMultiarch: () => debianLike } as const;
  const { value: edits, findings } = collectFindings((report) => discoverManifestEntries(input, report));
  return { edits, findings, host };
}

describe("real manifests", () => {
  it("exist for these tests", (context) => {
    if (!present && process.env.CI === undefined) context.skip(`no real manifests in ${DIRECTORY}`);
    expect(files.length).toBeGreaterThan(20);
  });

  describe.each(files.map((file) => [relative(DIRECTORY, file), file]))("%s", (_, file) => {
    const bytes = new Uint8Array(readFileSync(file));
    const { specs, findings } = parseManifest(bytes, "m.csv");
    const complete = hostOfManifest(specs);
    const layouts = [
      ["Debian-like", ["file /etc/debian_version"]],
      ["flat", []],
    ] as const;

    it("parses with every line accounted for", () => {
      const told = new Set([...specs, ...findings].map(({ source }) => source));
      const lines = new TextDecoder().decode(bytes).split("\n");
      lines.forEach((line, index) => {
        expect(told.has(`m.csv:${index + 1}`), line).toBe(line.trim() !== "");
      });
    });

    describe.each(layouts)("on a %s host that has every entry", (_name, extra) => {
      const { edits, findings: told, host } = discover(specs, [...complete, ...extra], true);

      it("provides each entry or reports a duplicate", () => {
        const duplicates = told.filter(({ code }) => code === "entry-duplicate").map(({ source }) => source);
        const impossible = contradicting(specs);
        const accounted = new Set([...sourcesOf(edits), ...duplicates, ...impossible]);
        expect(specs.filter(({ source }) => !accounted.has(source))).toEqual([]);
        const warnings = told.filter(({ severity }) => severity === "warning");
        expect(warnings.map(({ code, source }) => `${source} ${code}`)).toEqual(
          impossible.map((source) => `${source} entry-wrong-type`),
        );
      });

      it("provides no container path twice", () => {
        const paths = pathsOf(edits);
        expect(paths.filter((path, index) => paths.indexOf(path) !== index)).toEqual([]);
      });

      it("provides no link to a path that it does not provide", () => {
        const paths = pathsOf(edits);
        for (const { containerPath, target } of edits.links) {
          const end = leadsTo(edits, containerPath, target);
          const isGiven = paths.some((path) => path === end || path.startsWith(`${end}/`));
          expect(isGiven, `${containerPath} -> ${target}`).toBe(true);
        }
      });

      it("provides nothing below a link to a directory", () => {
        const directories = edits.links.map(({ containerPath }) => `${containerPath}/`);
        expect(pathsOf(edits).filter((path) => directories.some((link) => path.startsWith(link)))).toEqual(
          [],
        );
      });

      it("queries the host at most three times per entry", () => {
        const { lstat, readLink, realPath, readDirectory } = host.calls;
        expect(lstat + readLink + realPath + readDirectory).toBeLessThanOrEqual(specs.length * 3 + 10);
      });
    });

    describe.each(layouts)("on a %s host that lacks every third entry", (_name, extra) => {
      const has = specs.filter((_spec, index) => index % 3 !== 2);
      const tree = [...hostOfManifest(has), ...extra];
      const { edits, findings: told } = discover(specs, tree, true);

      it("accounts for each entry with an edit or a finding", () => {
        const accounted = new Set([...sourcesOf(edits), ...told.map(({ source }) => source)]);
        expect(specs.filter(({ source }) => !accounted.has(source))).toEqual([]);
      });

      it("does not provide missing files", () => {
        const missing = told.filter(({ code }) => code === "entry-missing" || code === "entry-no-match");
        const given = new Set(sourcesOf(edits));
        expect(missing.filter(({ source }) => given.has(source))).toEqual([]);
        if (specs.length > 20) expect(missing.length).toBeGreaterThan(specs.length / 5);
      });
    });
  });
});
