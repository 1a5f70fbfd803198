import type { GeneratedFile, LdconfigChoice, MountOption } from "../model/container-edits.ts";
import type { Source } from "../model/finding.ts";
import type { ContainerPath, HostPath } from "../model/paths.ts";

/** A device that the container's cgroup is to allow, as runtime-spec's `linux.resources.devices` names it. */
export interface DeviceRule {
  readonly type: "c" | "b";
  readonly major: number;
  readonly minor: number;
  /** A subset of `rwm`. */
  readonly access: string;
}

/** One change to the container. The executor knows these and no others. */
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
      /** Covers a directory with a small file system of its own, read-only, that holds generated files. */
      readonly op: "cover-directory";
      readonly path: ContainerPath;
      readonly files: readonly GeneratedFile[];
      readonly directories: readonly string[];
      readonly source: Source;
    }
  | {
      readonly op: "update-ldcache";
      /** The host's runs from a sealed copy, the image's own is the image's code; both are confined. */
      readonly ldconfig: LdconfigChoice;
      /** Directories that hold injected libraries, those of the image's default search path included. */
      readonly folders: readonly ContainerPath[];
      /** A directory of the image that goes before all others: its CUDA forward compatibility. */
      readonly compatFolder: ContainerPath | undefined;
      readonly source: Source;
    }
  | {
      readonly op: "allow-devices";
      readonly rules: readonly DeviceRule[];
      readonly source: Source;
    };

/** The operation of one kind. */
export type OperationOf<K extends Operation["op"]> = Extract<Operation, { op: K }>;
