import type { ExtraDirectory } from "../config/config.ts";
import { FILE_OPTIONS, type Mount } from "../model/container-edits.ts";
import { type Finding, finding } from "../model/finding.ts";
import type { HostView } from "../model/host-view.ts";

const SOURCE = "config.toml: nvoci.directories";

/**
 * Finds the whole directories that config.toml gives to each container with a GPU, under a container path of their
 * own. A link such as `/opt/cuda/current` is followed on the host. A directory that is missing is a finding.
 */
export function extraDirectories(
  host: HostView,
  directories: readonly ExtraDirectory[],
): { mounts: Mount[]; findings: Finding[] } {
  const mounts: Mount[] = [];
  const findings: Finding[] = [];
  for (const { host: path, container: containerPath } of directories) {
    const hostPath = host.realPath(path);
    const found = hostPath && host.lstat(hostPath)?.type;
    if (hostPath === undefined || found === undefined) {
      findings.push(finding("entry-missing", "warning", SOURCE, { type: "dir", path }));
    } else if (found !== "directory") {
      findings.push(finding("entry-wrong-type", "warning", SOURCE, { type: "dir", path, found }));
    } else {
      mounts.push({ hostPath, containerPath, kind: "directory", options: FILE_OPTIONS, source: SOURCE });
    }
  }
  return { mounts, findings };
}
