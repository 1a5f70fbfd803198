import { FILE_OPTIONS, type Mount } from "../../model/container-edits.ts";
import type { Finding } from "../../model/finding.ts";
import { containerPath, type HostPath } from "../../model/paths.ts";
import type { DriverRoot } from "./driver-root.ts";

/** Mounts of files that the host may have, and what is missing of them. */
export interface FoundFiles {
  readonly mounts: readonly Mount[];
  readonly findings: readonly Finding[];
}

/** A mount that nothing can be written through. */
export const readOnly = (kind: Mount["kind"], hostPath: HostPath, path: string, source: string): Mount => ({
  hostPath,
  containerPath: containerPath(path),
  kind,
  options: FILE_OPTIONS,
  source,
});

/** The real path of the first of `directories` that has `name`. */
export function firstFile(
  root: DriverRoot,
  directories: readonly string[],
  name: string,
): HostPath | undefined {
  for (const directory of directories) {
    const real = root.resolve(`${directory}/${name}`);
    if (real !== undefined) return real;
  }
  return undefined;
}
