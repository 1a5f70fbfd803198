import type { GeneratedFile, LdconfigChoice, MountOption } from "../model/container-edits.ts";
import type { Source } from "../model/finding.ts";
import type { ContainerPath, HostPath } from "../model/paths.ts";

/** A device that the container's cgroup allows, as in runtime-spec's `linux.resources.devices`. */
export interface DeviceRule {
  readonly type: "c" | "b";
  readonly major: number;
  readonly minor: number;
  /** A subset of `rwm`. */
  readonly access: string;
}

/** One change to the container. The executor can do nothing else. */
export type Operation =
  | {
      readonly op: "bind-directory" | "bind-file" | "bind-socket";
      readonly hostPath: HostPath;
      readonly path: ContainerPath;
      readonly options: readonly MountOption[];
      readonly source: Source;
    }
  | {
      readonly op: "make-link";
      readonly path: ContainerPath;
      readonly target: string;
      readonly source: Source;
    }
  | {
      readonly op: "bind-device";
      readonly hostPath: HostPath;
      readonly path: ContainerPath;
      readonly type: "c" | "b";
      readonly major: number;
      readonly minor: number;
      readonly fileMode: number;
      readonly source: Source;
    }
  | {
      /** Covers a directory with a small read-only file system that contains generated files. */
      readonly op: "cover-directory";
      readonly path: ContainerPath;
      readonly files: readonly GeneratedFile[];
      readonly directories: readonly string[];
      readonly source: Source;
    }
  | {
      readonly op: "update-ldcache";
      /** Nobody can change the host's ldconfig while it runs; the image's own is the image's code. Both run confined. */
      readonly ldconfig: LdconfigChoice;
      /** Directories with injected libraries, including those of the image's default search path. */
      readonly folders: readonly ContainerPath[];
      /** A directory of the image that is searched before all others: its CUDA forward compatibility libraries. */
      readonly compatFolder: ContainerPath | undefined;
      readonly source: Source;
    }
  | {
      /** Names directories in the file in which musl's dynamic linker reads where libraries are. */
      readonly op: "update-musl-path";
      readonly path: ContainerPath;
      /** In search order. */
      readonly folders: readonly ContainerPath[];
      readonly source: Source;
    }
  | {
      readonly op: "allow-devices";
      readonly rules: readonly DeviceRule[];
      readonly source: Source;
    };

/** The operation with the name `K`. */
export type OperationOf<K extends Operation["op"]> = Extract<Operation, { op: K }>;
