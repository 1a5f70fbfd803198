import type { LdconfigChoice } from "../config/config.ts";
import type { ContainerEdits, DeviceNode, Mount } from "../model/container-edits.ts";
import { basename, below, type ContainerPath, dirname, isWithin } from "../model/paths.ts";
import type { DeviceRule, Operation } from "./operation.ts";

/** What the edits do not say and the plan depends on. */
export interface PlanOptions {
  /** Absent: the cache is left alone. */
  readonly ldconfig: LdconfigChoice | undefined;
  /** Directories with libraries inside the directory mounts; only the host can tell them. */
  readonly libraryFolders: readonly ContainerPath[];
  /** Whether device access is ours to grant; `no-cgroups` in config.toml says no. */
  readonly cgroups: boolean;
}

/** `libx.so` and `libx.so.1`, as ldconfig(8) picks the files that it looks into. */
const LIBRARY_NAME = /^(?:lib|ld-).*\.so(?:\.|$)/;

const depth = (path: string): number => path.split("/").length;

/**
 * Whether a mounted directory of the host already shows `hostPath` at `path`: mounting the file once more, or
 * making the link in a read-only mount, would be wasted or refused.
 */
const isShownBy = (directories: readonly Mount[], path: ContainerPath, hostPath?: string): boolean =>
  directories.some(
    (mount) =>
      path !== mount.containerPath &&
      isWithin(path, mount.containerPath) &&
      (hostPath === undefined || hostPath === below(mount.hostPath, path.slice(mount.containerPath.length))),
  );

/** Access that the cgroup is to grant, once per device number. */
function deviceRules(nodes: readonly DeviceNode[]): DeviceRule[] {
  const rules = new Map<string, DeviceRule>();
  for (const { type, major, minor, permissions } of nodes) {
    rules.set(`${type} ${major}:${minor}`, { type, major, minor, access: permissions });
  }
  return [...rules.values()];
}

/**
 * Turns edits into the operations that make them true, in the order in which they can be made: directories from
 * the outside in, files, links, devices, the library cache, and last the device cgroup, which is the only one that
 * another process could act upon. Pure: the same input gives the same plan.
 */
export function plan(edits: ContainerEdits, options: PlanOptions): Operation[] {
  const directories = edits.mounts
    .filter((mount) => mount.kind === "directory")
    .sort((a, b) => depth(a.containerPath) - depth(b.containerPath));
  const operations: Operation[] = [];
  const folders = new Set<ContainerPath>();

  for (const mount of directories) {
    if (isShownBy(directories, mount.containerPath, mount.hostPath)) continue;
    const { hostPath, containerPath: path, options: flags, source } = mount;
    operations.push({ op: "bind-directory", hostPath, path, options: flags, source });
  }
  for (const mount of edits.mounts) {
    if (mount.kind !== "file") continue;
    const { hostPath, containerPath: path, options: flags, source } = mount;
    if (LIBRARY_NAME.test(basename(path))) folders.add(dirname(path));
    if (isShownBy(directories, path, hostPath)) continue;
    operations.push({ op: "bind-file", hostPath, path, options: flags, source });
  }
  for (const { containerPath: path, target, source } of edits.links) {
    if (LIBRARY_NAME.test(basename(path))) folders.add(dirname(path));
    if (!isShownBy(directories, path)) operations.push({ op: "make-link", path, target, source });
  }
  for (const { hostPath, path, type, major, minor, fileMode, source } of edits.deviceNodes) {
    operations.push({ op: "bind-device", hostPath, path, type, major, minor, fileMode, source });
  }

  for (const folder of options.libraryFolders) folders.add(folder);
  if (options.ldconfig !== undefined && folders.size > 0) {
    const { ldconfig } = options;
    operations.push({ op: "update-ldcache", ldconfig, folders: [...folders], source: "injected libraries" });
  }
  const rules = options.cgroups ? deviceRules(edits.deviceNodes) : [];
  if (rules.length > 0) operations.push({ op: "allow-devices", rules, source: "injected devices" });
  return operations;
}
