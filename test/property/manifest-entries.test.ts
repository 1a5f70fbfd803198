import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { discoverManifestEntries } from "../../src/discover/board/discover-board.ts";
import type { MountSpec } from "../../src/manifest/parse-manifest.ts";
import type { ContainerEdits } from "../../src/model/container-edits.ts";
import { dirname, type HostPath, hostPath, isWithin, join } from "../../src/model/paths.ts";
import { collectFindings } from "../support/cli/collect-findings.ts";
import { type MemoryHost, memoryHost } from "../support/host/memory-host.ts";

const name = fc.constantFrom("a", "b", "c");
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => `/${names.join("/")}`);
const text = fc.oneof(
  path,
  fc.array(fc.oneof(name, fc.constant("..")), { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
);
const node = fc.oneof(
  path.map((at) => ({ at, line: `file ${at} = "${at}"` })),
  path.map((at) => ({ at, line: `dir ${at}` })),
  fc.tuple(path, text).map(([at, target]) => ({ at, line: `symlink ${at} -> ${target}` })),
);

/** A tree without duplicate paths and without anything below a file or link; files contain their own path. */
const tree = fc.array(node, { minLength: 3, maxLength: 14 }).map((nodes) => {
  const kept: { at: string; line: string }[] = [];
  for (const { at, line } of nodes) {
    const collides = kept.some((other) =>
      isWithin(other.at, at)
        ? other.at === at || !line.startsWith("dir")
        : isWithin(at, other.at) && !other.line.startsWith("dir"),
    );
    if (!collides) kept.push({ at, line });
  }
  return kept.map(({ line }) => line);
});

const spec = fc
  .record({ type: fc.constantFrom("lib" as const, "sym" as const, "dir" as const), at: path })
  .map(({ type, at }) => ({ type, path: hostPath(at) }));

function discover(host: MemoryHost, specs: readonly MountSpec[]) {
  const input = { host, specs, triplet: "aarch64-linux-gnu", isMultiarch: () => false } as const;
  const { value: edits, findings } = collectFindings((report) => discoverManifestEntries(input, report));
  return { edits, findings };
}

/** An empty container with the links and file mounts of the edits; files contain their host path. */
function applyTo({ mounts, links }: ContainerEdits, host: MemoryHost): MemoryHost {
  const files = mounts
    .filter(({ kind }) => kind === "file")
    .map((mount) => `file ${mount.containerPath} = "${host.realPath(mount.hostPath)}"`);
  const directories = mounts
    .filter(({ kind }) => kind === "directory")
    .map(({ containerPath }) => `dir ${containerPath}`);
  return memoryHost([
    ...directories,
    ...files,
    ...links.map(({ containerPath, target }) => `symlink ${containerPath} -> ${target}`),
  ]);
}

const contentOf = (host: MemoryHost, at: HostPath): string =>
  String.fromCharCode(...(host.readFile(at) ?? []));

const cases = fc
  .record({ lines: tree, wanted: fc.array(spec, { minLength: 1, maxLength: 8 }) })
  .map(({ lines, wanted }) => ({
    lines,
    specs: wanted.map((entry, index) => ({ ...entry, source: `m.csv:${index + 1}` })),
  }));

const numRuns = 2000;

describe("discoverManifestEntries()", () => {
  it("accounts for each entry with an edit or a finding, whatever the host looks like", () => {
    fc.assert(
      fc.property(cases, ({ lines, specs }) => {
        const { edits, findings } = discover(memoryHost(lines), specs);
        const told = new Set([...edits.mounts, ...edits.links, ...findings].map(({ source }) => source));
        expect(specs.filter(({ source }) => !told.has(source))).toEqual([]);
      }),
      { numRuns },
    );
  });

  it("provides no container path twice and nothing below a link", () => {
    fc.assert(
      fc.property(cases, ({ lines, specs }) => {
        const { edits } = discover(memoryHost(lines), specs);
        const paths = [...edits.mounts, ...edits.links].map(({ containerPath }) => containerPath);
        expect(new Set(paths).size).toBe(paths.length);
        for (const link of edits.links) {
          expect(paths.filter((at) => at.startsWith(`${link.containerPath}/`))).toEqual([]);
        }
      }),
      { numRuns },
    );
  });

  it("lets the container reach the host's file at each provided path", () => {
    fc.assert(
      fc.property(cases, ({ lines, specs }) => {
        const host = memoryHost(lines);
        const { edits, findings } = discover(host, specs);
        const refused = new Set(
          findings.filter(({ severity }) => severity === "warning").map(({ source }) => source),
        );
        const container = applyTo(edits, host);
        const shown = edits.mounts.filter(({ kind }) => kind === "directory");
        for (const { path: at, source } of specs) {
          const real = host.realPath(at);
          if (refused.has(source) || real === undefined) continue;
          // The content of a whole directory is the host's own, links included, and is not modeled here.
          if (shown.some((mount) => isWithin(real, mount.hostPath) || isWithin(at, mount.containerPath)))
            continue;
          if (host.lstat(real)?.type === "file") expect(contentOf(container, at)).toBe(real);
          else expect(container.realPath(at)).toBeDefined();
        }
      }),
      { numRuns },
    );
  });

  it("provides no link to a path that it does not provide", () => {
    fc.assert(
      fc.property(cases, ({ lines, specs }) => {
        const host = memoryHost(lines);
        const { edits } = discover(host, specs);
        const container = applyTo(edits, host);
        for (const { containerPath, target } of edits.links) {
          const end = hostPath(join(dirname(containerPath), target));
          expect(container.realPath(end), `${containerPath} -> ${target}`).toBeDefined();
        }
      }),
      { numRuns },
    );
  });
});
