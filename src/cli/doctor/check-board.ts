import { L4T_RELEASE_FILE } from "../../discover/detect-platform.ts";
import type { MountSpec } from "../../manifest/parse-manifest.ts";
import { type Check, check } from "../../model/check.ts";
import { NvociError } from "../../model/errors.ts";
import type { Finding } from "../../model/finding.ts";
import { basename, hostPath, join } from "../../model/paths.ts";
import type { Operation } from "../../plan/operation.ts";
import { matchGlob } from "../../text/match-glob.ts";
import { entryStates } from "../read-host.ts";
import { checkLibrary } from "./check-library.ts";
import { checkMode } from "./check-nodes.ts";
import type { HostFacts } from "./host-facts.ts";
import { type DriverPart, reinstall } from "./packages.ts";

/** Libraries that every program with CUDA loads, by the beginning of their file name, and their package. */
const LIBRARIES: readonly { readonly name: string; readonly part: DriverPart }[] = [
  { name: "libcuda.so.1", part: "cuda" },
  { name: "libnvrm_gpu.so", part: "core" },
];

/** The first release for Thor, whose GPU can have the nodes of a server's. An Orin has such a node for its display. */
const THOR_SINCE = 38;

/**
 * Returns the nodes that libcuda opens, by release. One of each group must exist: the GPU's nodes moved with L4T 35, and a
 * Thor's can contain the GPU's PCI address.
 */
const nodesOf = (release: number | undefined): readonly (readonly string[])[] => [
  ["/dev/nvmap"],
  [
    "/dev/nvhost-ctrl-gpu",
    "/dev/nvgpu/igpu*/ctrl",
    ...(release !== undefined && release >= THOR_SINCE ? ["/dev/nvidia0"] : []),
  ],
];

/** Checks the manifests of a board, and that its containers get what none can do without. */
export function checkBoard(facts: HostFacts): readonly Check[] {
  return [...checkManifests(facts), ...checkRelease(facts), ...checkEssentials(facts)];
}

/** Returns the file of a source: `l4t.csv` for `l4t.csv:41`. */
const fileOf = (source: string): string => source.replace(/:\d+$/, "");

/** Reports which manifests are read, which are not and why, and how many of their entries the host has. */
function checkManifests({ host, report, decision }: HostFacts): readonly Check[] {
  const { manifestDirectory: directory, manifests } = report;
  const { specs, findings } = manifests;
  const states = entryStates(specs, decision instanceof NvociError ? [] : decision.findings);
  const files = [...new Set(specs.map(({ source }) => fileOf(source)))];
  const install = reinstall(host, "manifests", undefined);
  return [
    specs.length === 0
      ? check("fail", "manifests-none", { directory, install })
      : check("ok", "manifests", { directory, entries: specs.length }),
    ...files.map((file) => {
      const own = states.filter(({ spec }) => fileOf(spec.source) === file);
      const missing = own.filter((state) => !state.found).map(({ spec }) => `${spec.type}, ${spec.path}`);
      const found = own.length - missing.length;
      return check(found === 0 ? "warn" : "ok", "manifest", { file, found, missing });
    }),
    ...findings.flatMap(ofFinding),
    ...badLines(findings, directory),
  ];
}

const LINE = /:\d+$/;

/** Findings about lines are one result for each file. */
const isAboutLine = ({ source, severity }: Finding): boolean => severity === "warning" && LINE.test(source);

function badLines(findings: readonly Finding[], directory: string): readonly Check[] {
  const bad = findings.filter(isAboutLine);
  return [...new Set(bad.map(({ source }) => fileOf(source)))].flatMap((file) => {
    const own = bad.filter(({ source }) => fileOf(source) === file);
    const [finding] = own;
    if (finding === undefined) return [];
    return [check("warn", "manifest-lines", { file: join(directory, file), count: own.length, finding })];
  });
}

function ofFinding(finding: Finding): readonly Check[] {
  if (isAboutLine(finding)) return [];
  switch (finding.code) {
    case "manifest-writable-by-others":
      return [check("warn", "manifests-writable", { path: finding.args.path })];
    case "manifest-unreadable":
      return [check("warn", "manifests-unreadable", { path: finding.args.file })];
    case "manifest-directory-missing":
      // "manifests-none" reports this.
      return [];
    default:
      return [check(finding.severity === "warning" ? "warn" : "ok", "finding", { finding })];
  }
}

/** The first release whose libraries are in `nvidia`; before, they were in `tegra`. */
const NVIDIA_DIRECTORY_SINCE = 36;
const NEW_DIRECTORY = /^\/usr\/lib\/aarch64-linux-gnu\/nvidia\/lib/;
const OLD_DIRECTORY = /^\/usr\/lib\/aarch64-linux-gnu\/tegra\/lib/;

/** Compares the release file with the release that the manifests were made for. */
function checkRelease({ host, report }: HostFacts): readonly Check[] {
  const release = report.platform.release?.major;
  if (release === undefined) return [];
  const isNew = release >= NVIDIA_DIRECTORY_SINCE;
  const { specs } = report.manifests;
  const other = specs.filter(
    ({ type, path }) => type === "lib" && (isNew ? OLD_DIRECTORY : NEW_DIRECTORY).test(path),
  );
  const own = specs.filter(
    ({ type, path }) => type === "lib" && (isNew ? NEW_DIRECTORY : OLD_DIRECTORY).test(path),
  );
  const [example] = other;
  // Manifests of a release can list a few files in the other's directory.
  if (example === undefined || own.length >= other.length) return [];
  const made = isNew ? "R35 or earlier" : "R36 or later";
  const install = reinstall(host, "manifests", undefined);
  return [check("warn", "release-mismatch", { release, made, example: example.source, install })];
}

function checkEssentials(facts: HostFacts): readonly Check[] {
  const { decision, report } = facts;
  if (decision instanceof NvociError) return [];
  return [
    ...LIBRARIES.flatMap((library) => checkEssentialLibrary(facts, decision.operations, library)),
    ...nodesOf(report.platform.release?.major).flatMap((nodes) =>
      checkNodes(facts, decision.operations, nodes),
    ),
  ];
}

/** Directories in which L4T and meta-tegra have the driver's libraries. */
const DIRECTORIES = [
  "/usr/lib/aarch64-linux-gnu/nvidia",
  "/opt/nvidia/l4t-gpu-libs/nvgpu",
  "/opt/nvidia/l4t-gpu-libs/openrm",
  "/usr/lib/aarch64-linux-gnu/tegra",
  "/usr/lib/aarch64-linux-gnu",
  "/usr/lib",
];

function checkEssentialLibrary(
  { host, machine, report }: HostFacts,
  operations: readonly Operation[],
  { name, part }: (typeof LIBRARIES)[number],
): readonly Check[] {
  const install = reinstall(host, part, undefined);
  const is = (path: string): boolean => basename(path).startsWith(name);
  const given = operations.find((operation) => operation.op === "bind-file" && is(operation.path));
  if (given?.op === "bind-file") return checkLibrary(host, given.hostPath, machine, install);
  const listed = report.manifests.specs.find(({ type, path }) => type !== "dev" && is(path));
  if (listed !== undefined) return [check("fail", "library-missing", { name, path: listed.path, install })];
  const directory = DIRECTORIES.find((one) => (host.readDirectory(hostPath(one)) ?? []).some(is));
  const found = directory && `${directory}/${(host.readDirectory(hostPath(directory)) ?? []).find(is)}`;
  return [
    check("fail", "library-unlisted", {
      name,
      found,
      directory: report.manifestDirectory,
      install: reinstall(host, "manifests", undefined),
    }),
  ];
}

/** Reports whether a path matches a pattern whose wildcards match within one directory. */
function matchPath(pattern: string, path: string): boolean {
  const names = path.split("/");
  const parts = pattern.split("/");
  return parts.length === names.length && parts.every((part, index) => matchGlob(part, names[index] ?? ""));
}

function checkNodes(
  { host, report }: HostFacts,
  operations: readonly Operation[],
  patterns: readonly string[],
): readonly Check[] {
  const [first = "", ...alternatives] = patterns;
  const is = (path: string): boolean => patterns.some((pattern) => matchPath(pattern, path));
  const given = operations.find((operation) => operation.op === "bind-device" && is(operation.path));
  if (given?.op === "bind-device") return checkMode(host, given.hostPath);
  const isListed = ({ type, path }: MountSpec): boolean =>
    type === "dev" && (is(path) || patterns.includes(path));
  const there = patterns.find((path) => host.lstat(hostPath(path))?.type === "character-device");
  if (there !== undefined && !report.manifests.specs.some(isListed)) {
    return [check("fail", "node-unlisted", { path: there, directory: report.manifestDirectory })];
  }
  return [check("fail", "node-missing", { path: first, alternatives, remedy: "modprobe" })];
}

/** Looks for the release file of a board. Without it the board is recognized by other signs. */
export function checkUnknownBoard({ host, report: { platform } }: HostFacts): readonly Check[] {
  if (platform.kind !== "tegra" || host.lstat(L4T_RELEASE_FILE) !== undefined) return [];
  return [
    check("warn", "release-missing", {
      file: L4T_RELEASE_FILE,
      install: reinstall(host, "core", undefined),
    }),
  ];
}
