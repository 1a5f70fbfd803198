import type { Mount, MountOption } from "../../model/container-edits.ts";
import type { DriverCapability } from "../../model/driver-capability.ts";
import { type Finding, finding } from "../../model/finding.ts";
import { below, containerPath } from "../../model/paths.ts";
import type { DriverRoot } from "./driver-root.ts";
import type { FoundFiles } from "./found-files.ts";

/** Sockets are written to, and nothing in them is a program. */
const OPTIONS: readonly MountOption[] = ["nosuid", "nodev", "noexec"];

/** Where the driver's services answer. */
const ENDPOINTS: readonly {
  readonly path: string;
  readonly kind: "socket" | "directory";
  readonly capability: DriverCapability;
}[] = [
  { path: "/run/nvidia-persistenced/socket", kind: "socket", capability: "utility" },
  { path: "/run/nvidia-fabricmanager/socket", kind: "socket", capability: "utility" },
  { path: "/tmp/nvidia-mps", kind: "directory", capability: "compute" },
];

/** Finds the sockets of the driver's services. Most hosts run none of them. */
export function discoverIpc(root: DriverRoot, capabilities: ReadonlySet<DriverCapability>): FoundFiles {
  const mounts: Mount[] = [];
  const findings: Finding[] = [];
  for (const { path, kind, capability } of ENDPOINTS) {
    if (!capabilities.has(capability)) continue;
    const source = `socket ${path}`;
    // Everybody may write to /tmp: a link there could name any directory of the host, so none is followed.
    const hostPath = below(root.root, path);
    const found = root.host.lstat(hostPath)?.type;
    if (found === kind) {
      mounts.push({ hostPath, containerPath: containerPath(path), kind, options: OPTIONS, source });
    } else if (found === undefined) {
      findings.push(finding("entry-missing", "info", source, { type: "socket", path }));
    } else {
      findings.push(finding("entry-wrong-type", "warning", source, { type: "socket", path, found }));
    }
  }
  return { mounts, findings };
}
