import { isLibraryName } from "../discover/library-places.ts";
import type { ContainerEdits, DeviceNode, Mount } from "../model/container-edits.ts";
import { basename, below, type ContainerPath, dirname, type HostPath, isWithin } from "../model/paths.ts";
import type { DeviceRule, Operation } from "./operation.ts";

/** Everything that the plan depends on and the edits do not contain. */
interface PlanOptions {
  /** Whether to grant access to devices; `no-cgroups` in config.toml turns it off. */
  readonly cgroups: boolean;
}

const depth = (path: string): number => path.split("/").length;

/** Returns the mounted directory that is visible at `path` below it: the innermost, and the last of equal ones. */
function shownIn(directories: readonly Mount[], path: ContainerPath): Mount | undefined {
  for (let index = directories.length - 1; index >= 0; index--) {
    const mount = directories[index]!;
    if (path !== mount.containerPath && isWithin(path, mount.containerPath)) return mount;
  }
  return undefined;
}

/** Reports whether a mounted directory already shows `hostPath` at `path`, which makes another mount redundant. */
function isShown(directories: readonly Mount[], path: ContainerPath, hostPath: HostPath): boolean {
  const mount = shownIn(directories, path);
  return mount !== undefined && below(mount.hostPath, path.slice(mount.containerPath.length)) === hostPath;
}

/** Combines two accesses, in the kernel's order. */
const union = (a: string, b: string): string =>
  [..."rwm"].filter((letter) => a.includes(letter) || b.includes(letter)).join("");

/** Returns the access that the cgroup grants, one rule per device number. */
function deviceRules(nodes: readonly DeviceNode[]): DeviceRule[] {
  const rules = new Map<string, DeviceRule>();
  for (const { type, major, minor, permissions } of nodes) {
    const key = `${type} ${major}:${minor}`;
    rules.set(key, { type, major, minor, access: union(permissions, rules.get(key)?.access ?? "") });
  }
  return [...rules.values()];
}

/**
 * Turns edits into the operations that carry them out, in a workable order: covers, directories from the outside
 * in, files, links, devices, the library cache, and last the device cgroup, the only one that another process
 * could act upon. Pure: equal input produces an equal plan.
 */
export function plan(edits: ContainerEdits, options: PlanOptions): Operation[] {
  const directories = edits.mounts
    .filter((mount) => mount.kind === "directory")
    .sort((a, b) => depth(a.containerPath) - depth(b.containerPath));
  const operations: Operation[] = [];
  const folders = new Set<ContainerPath>();

  for (const { path, files, directories: places, source } of edits.generated) {
    operations.push({ op: "cover-directory", path, files, directories: places, source });
  }
  for (const mount of directories) {
    if (isShown(directories, mount.containerPath, mount.hostPath)) continue;
    const { hostPath, containerPath: path, options: flags, source } = mount;
    operations.push({ op: "bind-directory", hostPath, path, options: flags, source });
  }
  for (const mount of edits.mounts) {
    if (mount.kind === "directory") continue;
    const { hostPath, containerPath: path, options: flags, source } = mount;
    if (isLibraryName(basename(path))) folders.add(dirname(path));
    if (isShown(directories, path, hostPath)) continue;
    const op = mount.kind === "file" ? "bind-file" : "bind-socket";
    operations.push({ op, hostPath, path, options: flags, source });
  }
  for (const { containerPath: path, target, source } of edits.links) {
    if (isLibraryName(basename(path))) folders.add(dirname(path));
    // A read-only mount cannot get a link, and it already contains the host's.
    if (shownIn(directories, path) === undefined) operations.push({ op: "make-link", path, target, source });
  }
  for (const { hostPath, path, type, major, minor, fileMode, source } of edits.deviceNodes) {
    operations.push({ op: "bind-device", hostPath, path, type, major, minor, fileMode, source });
  }

  for (const folder of edits.libraryFolders) folders.add(folder);
  const { ldconfig, compatFolder, muslPathFile } = edits;
  const injected = "injected libraries";
  if (muslPathFile !== undefined && folders.size > 0) {
    const all = [...(compatFolder === undefined ? [] : [compatFolder]), ...folders];
    operations.push({ op: "update-musl-path", path: muslPathFile, folders: all, source: injected });
  }
  if (ldconfig !== undefined && folders.size > 0) {
    operations.push({
      op: "update-ldcache",
      ldconfig,
      folders: [...folders],
      compatFolder,
      source: injected,
    });
  }
  const rules = options.cgroups ? deviceRules(edits.deviceNodes) : [];
  if (rules.length > 0) operations.push({ op: "allow-devices", rules, source: "injected devices" });
  return operations;
}
