import type { LdconfigChoice } from "../model/container-edits.ts";
import { DRIVER_CAPABILITIES, type DriverCapability } from "../model/driver-capability.ts";
import { type ContainerPath, type HostPath, hostPath } from "../model/paths.ts";

/** How the platform is chosen: `auto` detects it. */
export type RuntimeMode = "auto" | "csv" | "legacy";

export type LogLevel = "debug" | "info" | "warning" | "error";

type CudaCompatMode = "ldconfig" | "hook" | "disabled";

/** A directory of the host that every container that requests GPUs gets. */
export interface ExtraDirectory {
  readonly host: HostPath;
  readonly container: ContainerPath;
}

/**
 * The content of `config.toml`, grouped as in the file, without the keys of the NVIDIA Container Toolkit that have
 * no meaning for nvoci.
 */
export interface Config {
  readonly acceptNvidiaVisibleDevicesAsVolumeMounts: boolean;
  readonly acceptNvidiaVisibleDevicesEnvvarWhenUnprivileged: boolean;
  readonly disableRequire: boolean;
  readonly supportedDriverCapabilities: readonly DriverCapability[];
  /** Names of variables that replace NVIDIA_VISIBLE_DEVICES. */
  readonly swarmResource: readonly string[];
  readonly nvidiaContainerCli: {
    readonly debug: HostPath | undefined;
    readonly ldcache: HostPath | undefined;
    readonly ldconfig: LdconfigChoice;
    readonly loadKmods: boolean;
    /** The directory of MPS's pipes: CUDA_MPS_PIPE_DIRECTORY in `environment`. */
    readonly mpsPipeDirectory: HostPath;
    readonly noCgroups: boolean;
    /** Where the driver is installed: `/`, or `/run/nvidia/driver`. */
    readonly root: HostPath;
  };
  readonly nvidiaContainerRuntime: {
    readonly debug: HostPath | undefined;
    readonly logLevel: LogLevel;
    readonly mode: RuntimeMode;
    /** Low-level runtimes to look for, in order: absolute paths or names. */
    readonly runtimes: readonly string[];
    readonly modes: {
      readonly cdi: { readonly defaultKind: string };
      readonly csv: {
        readonly mountSpecPath: HostPath;
        readonly compatContainerRoot: ContainerPath | undefined;
      };
      readonly legacy: { readonly cudaCompatMode: CudaCompatMode };
    };
  };
  readonly nvidiaContainerRuntimeHook: {
    /** The hook that the wrapper adds to config.json: an absolute path, or a name to search for. */
    readonly path: string;
  };
  readonly features: {
    readonly allowLdconfigFromContainer: boolean;
    readonly disableCudaCompatLibHook: boolean;
    readonly disableImexChannelCreation: boolean;
    readonly ignoreImexChannelRequests: boolean;
  };
  readonly nvoci: {
    /** Trees with copies of the driver in Debian's layout, searched before `root`. */
    readonly alternateRoots: readonly HostPath[];
    /** Which manifests are read; `auto` lets the release and the image decide. */
    readonly csvMounts: "auto" | "all" | "base";
    /** Whether the container's `ld.so.cache` is updated. */
    readonly ldconfig: boolean;
    /** Directories whose libraries are preferred to those in `ld.so.cache`. */
    readonly librarySearchPaths: readonly HostPath[];
    readonly directories: readonly ExtraDirectory[];
  };
}

/** The values that apply if there is no file, or the file does not set a key. */
export const DEFAULT_CONFIG: Config = {
  acceptNvidiaVisibleDevicesAsVolumeMounts: false,
  acceptNvidiaVisibleDevicesEnvvarWhenUnprivileged: true,
  disableRequire: false,
  supportedDriverCapabilities: DRIVER_CAPABILITIES,
  swarmResource: [],
  nvidiaContainerCli: {
    debug: undefined,
    ldcache: undefined,
    ldconfig: { from: "host", path: hostPath("/sbin/ldconfig") },
    loadKmods: true,
    mpsPipeDirectory: hostPath("/tmp/nvidia-mps"),
    noCgroups: false,
    root: hostPath("/"),
  },
  nvidiaContainerRuntime: {
    debug: undefined,
    logLevel: "info",
    mode: "auto",
    runtimes: ["runc", "crun"],
    modes: {
      cdi: { defaultKind: "nvidia.com/gpu" },
      csv: {
        mountSpecPath: hostPath("/etc/nvidia-container-runtime/host-files-for-container.d"),
        compatContainerRoot: undefined,
      },
      legacy: { cudaCompatMode: "ldconfig" },
    },
  },
  nvidiaContainerRuntimeHook: { path: "nvidia-container-runtime-hook" },
  features: {
    allowLdconfigFromContainer: false,
    disableCudaCompatLibHook: false,
    disableImexChannelCreation: false,
    ignoreImexChannelRequests: false,
  },
  nvoci: {
    alternateRoots: [hostPath("/usr/share/nvidia-container-passthrough")],
    csvMounts: "auto",
    ldconfig: true,
    librarySearchPaths: [],
    directories: [],
  },
};
