/**
 * What discovery wants changed in a container, in the words of the Container Device Interface.
 *
 * @see https://github.com/cncf-tags/container-device-interface/blob/main/SPEC.md
 */

import type { Source } from "./finding.ts";
import type { ContainerPath, HostPath } from "./paths.ts";
import type { FileStat } from "./views.ts";

/** A device node of the host that the container gets under `path`. */
export interface DeviceNode {
  readonly path: ContainerPath;
  readonly hostPath: HostPath;
  readonly type: "c" | "b";
  readonly major: number;
  readonly minor: number;
  /** Permission bits of the host's node. */
  readonly fileMode: number;
  /** Cgroup access, a subset of `rwm`. */
  readonly permissions: string;
  readonly uid: number;
  readonly gid: number;
  readonly source: Source;
}

/** A file or directory of the host, bound read-only unless `options` says otherwise. */
export interface Mount {
  readonly hostPath: HostPath;
  readonly containerPath: ContainerPath;
  readonly kind: "file" | "directory" | "socket";
  /** mount(8) options; all of ours are bind mounts with private propagation. */
  readonly options: readonly MountOption[];
  readonly source: Source;
}

/** The options that occur. */
export type MountOption = "ro" | "nosuid" | "nodev" | "noexec";

/** Libraries, programs and data: readable and runnable, nothing more. */
export const FILE_OPTIONS: readonly MountOption[] = ["ro", "nosuid", "nodev"];

/** A symbolic link made in the container. CDI does this with a `create-symlinks` hook. */
export interface Link {
  readonly containerPath: ContainerPath;
  /** The link's text, verbatim. */
  readonly target: string;
  readonly source: Source;
}

/** A file with a content of its own, made for one container. */
export interface GeneratedFile {
  /** Relative to its directory; may lie in a subdirectory. */
  readonly name: string;
  readonly content: string;
  /** Permission bits. */
  readonly mode: number;
}

/** A directory of the container that is covered by files made for it alone; what was there is out of sight. */
interface GeneratedDirectory {
  readonly path: ContainerPath;
  readonly files: readonly GeneratedFile[];
  /** Empty directories, relative, to be mounted upon. */
  readonly directories: readonly string[];
  readonly source: Source;
}

/** Which ldconfig brings a container's cache up to date. */
export type LdconfigChoice =
  /** A program of the host, without `.real`: where `<path>.real` exists, `path` is a script around it. */
  | { readonly from: "host"; readonly path: HostPath }
  /** The image's own program. Only where the host has none, or with `features.allow-ldconfig-from-container`. */
  | { readonly from: "container"; readonly path: ContainerPath };

/** Everything one container gets. Order within each list is the order of discovery. */
export interface ContainerEdits {
  readonly deviceNodes: readonly DeviceNode[];
  readonly mounts: readonly Mount[];
  readonly links: readonly Link[];
  /** Directories with files made for this container. */
  readonly generated: readonly GeneratedDirectory[];
  /** Directories with libraries inside the mounted directories; only the host knows them. */
  readonly libraryFolders: readonly ContainerPath[];
  /** The program that updates the container's library cache. Absent: the cache is left alone. */
  readonly ldconfig: LdconfigChoice | undefined;
  /** A directory of the image that ldconfig prefers to all others: its CUDA forward compatibility. */
  readonly compatFolder: ContainerPath | undefined;
}

/** Edits that change nothing. */
export const NO_EDITS: ContainerEdits = {
  deviceNodes: [],
  mounts: [],
  links: [],
  generated: [],
  libraryFolders: [],
  ldconfig: undefined,
  compatFolder: undefined,
};

/** All edits of several parts, in their order. Of a single value, the first part that has it wins. */
export const joinEdits = (parts: readonly Partial<ContainerEdits>[]): ContainerEdits => ({
  deviceNodes: parts.flatMap(({ deviceNodes = [] }) => deviceNodes),
  mounts: parts.flatMap(({ mounts = [] }) => mounts),
  links: parts.flatMap(({ links = [] }) => links),
  generated: parts.flatMap(({ generated = [] }) => generated),
  libraryFolders: parts.flatMap(({ libraryFolders = [] }) => libraryFolders),
  ldconfig: parts.find(({ ldconfig }) => ldconfig !== undefined)?.ldconfig,
  compatFolder: parts.find(({ compatFolder }) => compatFolder !== undefined)?.compatFolder,
});

/** A bind mount, read-only and without set-uid programs and devices unless `options` says otherwise. */
export const bindMount = (
  kind: Mount["kind"],
  hostPath: HostPath,
  containerPath: ContainerPath,
  source: Source,
  options: readonly MountOption[] = FILE_OPTIONS,
): Mount => ({ hostPath, containerPath, kind, options, source });

/** The container's share of a device node of the host. A container never gets the right to make nodes of this number. */
export function deviceNode(
  path: ContainerPath,
  hostPath: HostPath,
  stat: FileStat,
  source: Source,
): DeviceNode {
  const { major, minor, mode: fileMode, uid, gid } = stat;
  const type = stat.type === "block-device" ? "b" : "c";
  return { path, hostPath, type, major, minor, fileMode, permissions: "rw", uid, gid, source };
}
