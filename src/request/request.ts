import type { DriverCapability } from "../model/driver-capability.ts";
import type { ServerFeature } from "./driver-capabilities.ts";

/** The part of a container's configuration that says what the container asks for. */
export interface RequestSource {
  /** `NAME=value` entries. */
  readonly env: readonly string[];
  readonly mounts: readonly RequestMount[];
}

/** The part of a mount that can stand for a device. */
export interface RequestMount {
  /** As written in config.json, not normalized. */
  readonly destination: string;
  readonly source?: string | undefined;
}

/** Which GPUs a container asks for. `none` asks for the driver's files without a GPU. */
export type VisibleDevices =
  | { readonly kind: "all" }
  | { readonly kind: "none" }
  /** At least one index, UUID, PCI address or MIG name, trimmed, each once, not checked against the host. */
  | { readonly kind: "list"; readonly ids: readonly string[] };

/** A condition that the image sets on its host, not yet parsed. */
export interface RequirementText {
  /** The variable it comes from. */
  readonly source: string;
  /** `cuda>=12.4 brand=tesla,driver>=470`; may be empty. */
  readonly expression: string;
}

/** What a container asks for, after everything that the configuration does not allow is taken out. */
export interface Request {
  readonly visibleDevices: VisibleDevices;
  /** Where the list of devices comes from: names of variables, or `volume-mounts`. */
  readonly source: string;
  /** In alphabetical order, each once. */
  readonly driverCapabilities: readonly DriverCapability[];
  /** In the order of the variables' names; empty where checks are turned off. */
  readonly requirements: readonly RequirementText[];
  /** Which manifests the image wants on Jetson, where it says so. */
  readonly csvMounts: "all" | "base" | undefined;
  /** At most 64 numbers below 2^20, in the order asked for, each once. */
  readonly imexChannels: readonly number[];
  /**
   * Whether the host may be given nodes of the channels that it lacks. What an unprivileged container's environment says
   * changes nothing on the host.
   */
  readonly mayCreateImexChannels: boolean;
  /** Devices and files of a server beyond the driver's own; empty where the environment is not trusted. */
  readonly serverFeatures: readonly ServerFeature[];
  readonly migConfigDevices: "all" | undefined;
  readonly migMonitorDevices: "all" | undefined;
  /** Whether this is one of the oldest CUDA images, which say what they need by `CUDA_VERSION` alone. */
  readonly legacyImage: boolean;
  /** Whether the container can hold `CAP_SYS_ADMIN`. */
  readonly privileged: boolean;
}
