/**
 * What discovery adds to a container, in the terms of the Container Device Interface.
 *
 * @see https://github.com/cncf-tags/container-device-interface/blob/main/SPEC.md
 */

import type { Source } from "./finding.ts";
import type { ContainerPath, HostPath } from "./paths.ts";
import type { FileStat } from "./views.ts";

/** A device node of the host that the container gets at `path`. */
export interface DeviceNode {
  readonly path: ContainerPath;
  readonly hostPath: HostPath;
  readonly type: "c" | "b";
  readonly major: number;
  readonly minor: number;
  /** Permission bits of the host's node. */
  readonly fileMode: number;
  /** Cgroup access: a subset of `rwm`. */
  readonly permissions: string;
  readonly uid: number;
  readonly gid: number;
  readonly source: Source;
}

/** A file, directory or socket of the host that is bind-mounted, read-only if `options` contains `ro`. */
export interface Mount {
  readonly hostPath: HostPath;
  readonly containerPath: ContainerPath;
  readonly kind: "file" | "directory" | "socket";
  /** mount(8) options; every mount is a bind mount with private propagation. */
  readonly options: readonly MountOption[];
  readonly source: Source;
}

/** The mount options that nvoci uses. */
export type MountOption = "ro" | "nosuid" | "nodev" | "noexec";

/** The options for libraries, programs and data: they can be read and executed, nothing else. */
export const FILE_OPTIONS: readonly MountOption[] = ["ro", "nosuid", "nodev"];

/** A symbolic link to create in the container. CDI uses a `create-symlinks` hook for it. */
export interface Link {
  readonly containerPath: ContainerPath;
  /** The link's text, verbatim. */
  readonly target: string;
  readonly source: Source;
}

/** A file generated for one container. */
export interface GeneratedFile {
  /** Relative to its directory; may contain a subdirectory. */
  readonly name: string;
  readonly content: string;
  /** Permission bits. */
  readonly mode: number;
}

/** A directory of the container to cover with generated files, which hide its former content. */
interface GeneratedDirectory {
  readonly path: ContainerPath;
  readonly files: readonly GeneratedFile[];
  /** Empty directories, relative, to be mounted upon. */
  readonly directories: readonly string[];
  readonly source: Source;
}

/** The ldconfig that updates a container's cache. */
export type LdconfigChoice =
  /** A program of the host. `path` has no `.real`: if `<path>.real` exists, `path` is a script that runs it. */
  | { readonly from: "host"; readonly path: HostPath }
  /** The image's own program: only if the host has none, or with `features.allow-ldconfig-from-container`. */
  | { readonly from: "container"; readonly path: ContainerPath };

/** Everything that one container gets. Each list is in the order of discovery. */
export interface ContainerEdits {
  readonly deviceNodes: readonly DeviceNode[];
  readonly mounts: readonly Mount[];
  readonly links: readonly Link[];
  /** Directories of files generated for this container. */
  readonly generated: readonly GeneratedDirectory[];
  /** Directories of libraries inside the mounted directories; only the host knows them. */
  readonly libraryFolders: readonly ContainerPath[];
  /** The program that updates the container's library cache; `undefined` leaves the cache alone. */
  readonly ldconfig: LdconfigChoice | undefined;
  /** The file in which musl's dynamic linker reads its directories; `undefined` leaves it alone. */
  readonly muslPathFile: ContainerPath | undefined;
  /** A directory of the image that ldconfig prefers to all others: its CUDA forward-compatibility libraries. */
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
  muslPathFile: undefined,
  compatFolder: undefined,
};

/** Concatenates the edits of several parts. For single values, the first part that has one wins. */
export const joinEdits = (parts: readonly Partial<ContainerEdits>[]): ContainerEdits => ({
  deviceNodes: parts.flatMap(({ deviceNodes = [] }) => deviceNodes),
  mounts: parts.flatMap(({ mounts = [] }) => mounts),
  links: parts.flatMap(({ links = [] }) => links),
  generated: parts.flatMap(({ generated = [] }) => generated),
  libraryFolders: parts.flatMap(({ libraryFolders = [] }) => libraryFolders),
  ldconfig: parts.find(({ ldconfig }) => ldconfig !== undefined)?.ldconfig,
  muslPathFile: parts.find(({ muslPathFile }) => muslPathFile !== undefined)?.muslPathFile,
  compatFolder: parts.find(({ compatFolder }) => compatFolder !== undefined)?.compatFolder,
});

/** Returns a bind mount; by default it is read-only and ignores set-user-ID bits and device nodes. */
export const bindMount = (
  kind: Mount["kind"],
  hostPath: HostPath,
  containerPath: ContainerPath,
  source: Source,
  options: readonly MountOption[] = FILE_OPTIONS,
): Mount => ({ hostPath, containerPath, kind, options, source });

/** Returns a device node for the container. The container never gets the right to create nodes with its number. */
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
