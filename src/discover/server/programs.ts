import type { Mount } from "../../model/container-edits.ts";
import type { DriverCapability } from "../../model/driver-capability.ts";
import { type Finding, finding } from "../../model/finding.ts";
import { PROGRAM_DIRECTORY } from "./container-directories.ts";
import type { DriverRoot } from "./driver-root.ts";
import { type FoundFiles, firstFile, readOnly } from "./found-files.ts";

/** The driver's programs. Left out on purpose: those that change the host or need a desktop. */
const PROGRAMS: readonly (readonly [name: string, capability: DriverCapability])[] = [
  ["nvidia-smi", "utility"],
  ["nvidia-debugdump", "utility"],
  ["nvidia-persistenced", "utility"],
  ["nv-fabricmanager", "utility"],
  ["nvidia-imex", "utility"],
  ["nvidia-imex-ctl", "utility"],
  ["nvidia-cuda-mps-control", "compute"],
  ["nvidia-cuda-mps-server", "compute"],
];

/** Searched in this order, whatever PATH says: the hook's environment may come from anywhere. */
const DIRECTORIES = [
  "/usr/bin",
  "/usr/sbin",
  "/usr/local/bin",
  "/usr/local/sbin",
  "/bin",
  "/sbin",
  "/run/current-system/sw/bin",
];

/** Finds the driver's programs. In the container all of them are in one directory. */
export function discoverPrograms(root: DriverRoot, capabilities: ReadonlySet<DriverCapability>): FoundFiles {
  const mounts: Mount[] = [];
  const findings: Finding[] = [];
  for (const [name, capability] of PROGRAMS) {
    if (!capabilities.has(capability)) continue;
    const source = `program ${name}`;
    const real = firstFile(root, DIRECTORIES, name);
    if (real !== undefined) mounts.push(readOnly("file", real, `${PROGRAM_DIRECTORY}/${name}`, source));
    else findings.push(finding("entry-missing", "info", source, { type: "program", path: name }));
  }
  return { mounts, findings };
}
