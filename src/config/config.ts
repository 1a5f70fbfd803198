import type { LdconfigChoice } from "../model/container-edits.ts";
import { DRIVER_CAPABILITIES, type DriverCapability } from "../model/driver-capability.ts";
import { type ContainerPath, type HostPath, hostPath } from "../model/paths.ts";

/** How the platform is chosen: by looking (`auto`), or as told. */
export type RuntimeMode = "auto" | "csv" | "legacy";

export type LogLevel = "debug" | "info" | "warning" | "error";

type CudaCompatMode = "ldconfig" | "mount" | "hook" | "disabled";

/** A directory of the host that every container with a GPU gets. */
export interface ExtraDirectory {
  readonly host: HostPath;
  readonly container: ContainerPath;
}

/**
 * `config.toml` as it is used, grouped as the file groups it. Keys of the NVIDIA Container Toolkit that have no
 * meaning here are not in it.
 */
export interface Config {
  readonly acceptNvidiaVisibleDevicesAsVolumeMounts: boolean;
  readonly acceptNvidiaVisibleDevicesEnvvarWhenUnprivileged: boolean;
  readonly disableRequire: boolean;
  readonly supportedDriverCapabilities: readonly DriverCapability[];
  /** Names of variables that stand in for NVIDIA_VISIBLE_DEVICES. */
  readonly swarmResource: readonly string[];
  readonly nvidiaContainerCli: {
    readonly debug: HostPath | undefined;
    readonly ldcache: HostPath | undefined;
    readonly ldconfig: LdconfigChoice;
    readonly loadKmods: boolean;
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
    /** The hook that the wrapper puts into config.json: an absolute path, or a name for the default one. */
    readonly path: string;
  };
  readonly features: {
    readonly allowCudaCompatLibsFromContainer: boolean;
    readonly allowLdconfigFromContainer: boolean;
    readonly disableCudaCompatLibHook: boolean;
    readonly disableImexChannelCreation: boolean;
    readonly ignoreImexChannelRequests: boolean;
  };
  readonly nvoci: {
    /** Trees that hold copies of the driver in Debian's layout, looked at before `root`. */
    readonly alternateRoots: readonly HostPath[];
    /** Which manifests are read; `auto` leaves it to the release and the image. */
    readonly csvMounts: "auto" | "all" | "base";
    /** Whether the container's `ld.so.cache` is brought up to date. */
    readonly ldconfig: boolean;
    /** Where libraries are looked for on hosts that have no `ld.so.cache`. */
    readonly librarySearchPaths: readonly HostPath[];
    readonly directories: readonly ExtraDirectory[];
  };
}

/** What holds where there is no file, or the file does not say. */
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
    allowCudaCompatLibsFromContainer: false,
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
