import type { LdconfigChoice } from "../config/config.ts";
import type { MountOption } from "../model/container-edits.ts";
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
      readonly op: "bind-directory" | "bind-file";
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
      readonly op: "update-ldcache";
      /** The host's runs from a sealed copy, the image's own is the image's code; both are confined. */
      readonly ldconfig: LdconfigChoice;
      /** Directories that hold injected libraries, those of the image's default search path included. */
      readonly folders: readonly ContainerPath[];
      readonly source: Source;
    }
  | {
      readonly op: "allow-devices";
      readonly rules: readonly DeviceRule[];
      readonly source: Source;
    };

/** The operation of one kind. */
export type OperationOf<K extends Operation["op"]> = Extract<Operation, { op: K }>;
