/**
 * What discovery wants changed in a container, in the words of the Container Device Interface.
 *
 * @see https://github.com/cncf-tags/container-device-interface/blob/main/SPEC.md
 */

import type { Source } from "./finding.ts";
import type { ContainerPath, HostPath } from "./paths.ts";

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
export interface GeneratedDirectory {
  readonly path: ContainerPath;
  readonly files: readonly GeneratedFile[];
  /** Empty directories, relative, to be mounted upon. */
  readonly directories: readonly string[];
  readonly source: Source;
}

/** Everything one container gets. Order within each list is the order of discovery. */
export interface ContainerEdits {
  readonly deviceNodes: readonly DeviceNode[];
  readonly mounts: readonly Mount[];
  readonly links: readonly Link[];
}
