import type { HostView } from "../model/host-view.ts";
import { below, type HostPath, hostPath } from "../model/paths.ts";

/** Where the driver shows what can be opened by itself: GPU instances, and their management. */
export const CAPABILITIES: HostPath = hostPath("/proc/driver/nvidia/capabilities");

/** `gpu0/mig/gi1/ci0/access` is the deepest. */
const DEEPEST = 5;

/** The files below {@link CAPABILITIES}, each of which says which device file stands for it. */
export function capabilityFiles(host: HostView): readonly HostPath[] {
  const files: HostPath[] = [];
  const visit = (directory: HostPath, depth: number): void => {
    for (const name of (host.readDirectory(directory) ?? []).sort()) {
      const path = below(directory, `/${name}`);
      const type = host.lstat(path)?.type;
      if (type === "file") files.push(path);
      else if (type === "directory" && depth < DEEPEST) visit(path, depth + 1);
    }
  };
  visit(CAPABILITIES, 1);
  return files;
}
