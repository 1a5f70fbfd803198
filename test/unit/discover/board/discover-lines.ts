import {
  discoverManifestEntries,
  type ManifestEntriesInput,
} from "../../../../src/discover/board/discover-board.ts";
import { parseManifest } from "../../../../src/manifest/parse-manifest.ts";
import type { HostView } from "../../../../src/model/views.ts";
import { encodeUtf8 } from "../../../../src/text/utf8.ts";
import { collectFindings } from "../../../support/cli/collect-findings.ts";
import { memoryHost } from "../../../support/host/memory-host.ts";

const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

/** Returns the lines of a template string without indentation and blank lines. */
const unindent = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/**
 * Discovers the entries of a manifest on a host in memory and prints the result as lines. A mount shows its host
 * path only where it differs.
 *
 * @param tree lines for memoryHost(), or a host.
 * @param csv lines of a manifest named `m.csv`.
 */
export function discoverLines(
  tree: string | HostView,
  csv: string,
  options: Partial<Omit<ManifestEntriesInput, "host" | "specs">> = {},
) {
  const host = typeof tree === "string" ? memoryHost(tree) : tree;
  const { specs } = parseManifest(encodeUtf8(unindent(csv).join("\n")), "m.csv");
  const { value: edits, findings } = collectFindings((report) =>
    discoverManifestEntries(
      { host, specs, triplet: "aarch64-linux-gnu", isMultiarch: () => true, ...options },
      report,
    ),
  );
  return {
    edits,
    findings,
    mounts: edits.mounts.map(({ hostPath, containerPath, kind }) => {
      const from = (hostPath as string) === containerPath ? "" : ` from ${hostPath}`;
      return `${kind} ${containerPath}${from}`;
    }),
    links: edits.links.map(({ containerPath, target }) => `${containerPath} -> ${target}`),
    devices: edits.deviceNodes.map(
      ({ path, type, major, minor, fileMode, uid, gid }) =>
        `${path} ${type} ${major}:${minor} ${octal(fileMode)} ${uid}:${gid}`,
    ),
    told: findings.map(({ code, severity, source }) => `${source} ${severity} ${code}`),
  };
}
