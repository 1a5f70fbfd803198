import { append } from "../model/append.ts";
import { ignorable, NvociError } from "../model/errors.ts";
import { type Finding, finding } from "../model/finding.ts";
import type { FileStat, HostView } from "../model/host-view.ts";
import { basename, type HostPath, hostPath } from "../model/paths.ts";
import type { MountSpec } from "./mount-spec.ts";
import { type Manifest, parseManifest } from "./parse-manifest.ts";
import { type ManifestSelection, selectManifests } from "./select-manifests.ts";

const WRITABLE_BY_OTHERS = 0o002;

/**
 * Reads the manifests of a directory, in the order of their names.
 *
 * What cannot be used is left out with a finding: a file that anyone may write to, a directory named like a manifest,
 * an unreadable file. The directory's own subdirectories are not entered.
 */
export function readManifests(host: HostView, directory: HostPath, selection: ManifestSelection): Manifest {
  const names = attempt(() => readNames(host, directory));
  if (names === undefined) {
    return refuse(finding("manifest-directory-missing", "warning", directory, { directory }));
  }
  if (names instanceof NvociError) return refuse(unreadable(directory, directory, names.message));
  if (names === "writable-by-others") {
    return refuse(finding("manifest-writable-by-others", "warning", directory, { path: directory }));
  }
  const specs: MountSpec[] = [];
  const findings: Finding[] = [];
  const { read, skipped } = selectManifests(names, selection);
  for (const name of read) {
    const manifest = readManifest(host, hostPath(`${directory}/${name}`));
    append(specs, manifest.specs);
    append(findings, manifest.findings);
  }
  for (const file of skipped) findings.push(finding("manifest-skipped-not-base", "info", file, { file }));
  return { specs, findings };
}

/**
 * Reads one manifest. What is wrong with the file or a line of it becomes a finding.
 *
 * @throws SystemError when the machine fails.
 * @see parseManifest
 */
export function readManifest(host: HostView, path: HostPath): Manifest {
  const file = basename(path);
  const bytes = attempt(() => readBytes(host, path));
  if (bytes === undefined) return refuse(unreadable(file, path, "it is not there"));
  if (bytes instanceof NvociError) return refuse(unreadable(file, path, bytes.message));
  if (bytes === "not-a-file") return refuse(finding("manifest-not-a-file", "warning", file, { file: path }));
  if (bytes === "writable-by-others") {
    return refuse(finding("manifest-writable-by-others", "warning", file, { path }));
  }
  return parseManifest(bytes, file);
}

function readNames(host: HostView, directory: HostPath): string[] | "writable-by-others" | undefined {
  const stat = statOfTarget(host, directory);
  if (stat === undefined) return undefined;
  return stat.mode & WRITABLE_BY_OTHERS ? "writable-by-others" : host.readDirectory(directory);
}

function readBytes(
  host: HostView,
  path: HostPath,
): Uint8Array | "not-a-file" | "writable-by-others" | undefined {
  const stat = statOfTarget(host, path);
  if (stat === undefined) return undefined;
  if (stat.type !== "file") return "not-a-file";
  return stat.mode & WRITABLE_BY_OTHERS ? "writable-by-others" : host.readFile(path);
}

const refuse = (refusal: Finding): Manifest => ({ specs: [], findings: [refusal] });

const unreadable = (source: string, file: HostPath, reason: string): Finding =>
  finding("manifest-unreadable", "warning", source, { file, reason });

/** Stat of what a path leads to: a link's own mode says nothing. */
function statOfTarget(host: HostView, path: HostPath): FileStat | undefined {
  const stat = host.lstat(path);
  if (stat?.type !== "symlink") return stat;
  const real = host.realPath(path);
  return real === undefined ? undefined : host.lstat(real);
}

function attempt<T>(read: () => T): T | NvociError {
  try {
    return read();
  } catch (error) {
    return ignorable(error);
  }
}
