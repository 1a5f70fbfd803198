import { append } from "../model/budget.ts";
import { attempt } from "../model/errors.ts";
import { type Finding, finding, type Report } from "../model/finding.ts";
import { basename, type HostPath, hostPath } from "../model/paths.ts";
import { type HostView, statThrough } from "../model/views.ts";
import { MAX_LINES, type MountSpec, parseManifest } from "./parse-manifest.ts";
import { type ManifestSelection, selectManifests } from "./select-manifests.ts";

const WRITABLE_BY_OTHERS = 0o002;

/**
 * Reads the manifests in a directory, sorted by name.
 *
 * Reports and skips unusable manifests: a file that anyone can write to, a directory named like a manifest, an
 * unreadable file. Does not enter subdirectories.
 */
export function readManifests(
  host: HostView,
  directory: HostPath,
  selection: ManifestSelection,
  report: Report,
): readonly MountSpec[] {
  const names = attempt(() => readNames(host, directory));
  if (!Array.isArray(names)) {
    report(
      names === undefined
        ? finding("manifest-directory-missing", "warning", directory, { directory })
        : names === "writable-by-others"
          ? finding("manifest-writable-by-others", "warning", directory, { path: directory })
          : unreadable(directory, directory, names.message),
    );
    return [];
  }
  const specs: MountSpec[] = [];
  const { read, skipped } = selectManifests(names, selection);
  for (const name of read) {
    const left = MAX_LINES - specs.length;
    append(specs, readManifest(host, hostPath(`${directory}/${name}`), report, left));
  }
  for (const file of skipped) report(finding("manifest-skipped-not-base", "info", file, { file }));
  return specs;
}

/**
 * Reads one manifest. Reports problems of the file and of its lines.
 *
 * @param limit number of lines to read.
 * @throws {SystemError} "system-call" when the machine fails.
 * @see {@link parseManifest}
 */
export function readManifest(
  host: HostView,
  path: HostPath,
  report: Report,
  limit = MAX_LINES,
): readonly MountSpec[] {
  const file = basename(path);
  const bytes = attempt(() => readBytes(host, path));
  if (bytes instanceof Uint8Array) {
    const { specs, findings } = parseManifest(bytes, file, limit);
    for (const found of findings) report(found);
    return specs;
  }
  if (bytes === undefined) report(unreadable(file, path, "it does not exist"));
  else if (bytes === "not-a-file") report(finding("manifest-not-a-file", "warning", file, { file: path }));
  else if (bytes === "writable-by-others") {
    report(finding("manifest-writable-by-others", "warning", file, { path }));
  } else report(unreadable(file, path, bytes.message));
  return [];
}

function readNames(host: HostView, directory: HostPath): string[] | "writable-by-others" | undefined {
  const stat = statThrough(host, directory);
  if (stat === undefined) return undefined;
  return stat.mode & WRITABLE_BY_OTHERS ? "writable-by-others" : host.readDirectory(directory);
}

function readBytes(
  host: HostView,
  path: HostPath,
): Uint8Array | "not-a-file" | "writable-by-others" | undefined {
  const stat = statThrough(host, path);
  if (stat === undefined) return undefined;
  if (stat.type !== "file") return "not-a-file";
  return stat.mode & WRITABLE_BY_OTHERS ? "writable-by-others" : host.readFile(path);
}

const unreadable = (source: string, file: HostPath, reason: string): Finding =>
  finding("manifest-unreadable", "warning", source, { file, reason });
