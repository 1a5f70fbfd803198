import type { DriverCapability } from "../model/driver-capability.ts";
import type { ServerFeature } from "./driver-capabilities.ts";

/** The part of a container's configuration that contains its request. */
export interface RequestSource {
  /** `NAME=value` entries. */
  readonly env: readonly string[];
  readonly mounts: readonly RequestMount[];
}

/** The part of a mount that can name a device. */
export interface RequestMount {
  /** As written in config.json, not normalized. */
  readonly destination: string;
  readonly source?: string | undefined;
}

/** The GPUs that a container requests. `none` requests the driver's files without a GPU. */
export type VisibleDevices =
  | { readonly kind: "all" }
  | { readonly kind: "none" }
  /**
   * At least one index, UUID, PCI address or MIG name, trimmed, without duplicates, not checked against the host.
   */
  | { readonly kind: "list"; readonly ids: readonly string[] };

/** A requirement of the image for its host, not yet parsed. */
export interface RequirementText {
  /** The variable that it comes from. */
  readonly source: string;
  /** `cuda>=12.4 brand=tesla,driver>=470`; may be empty. */
  readonly expression: string;
}

/** What a container requests, without what the configuration does not allow. */
export interface Request {
  readonly visibleDevices: VisibleDevices;
  /** Where the list of devices comes from: names of variables, or `volume-mounts`. */
  readonly source: string;
  /** In alphabetical order, without duplicates. */
  readonly driverCapabilities: readonly DriverCapability[];
  /** Sorted by variable; empty if checks are turned off. */
  readonly requirements: readonly RequirementText[];
  /** Which manifests the image selects on Jetson, if it does. */
  readonly csvMounts: "all" | "base" | undefined;
  /** At most 64 numbers below 2^20, in the order of the request, without duplicates. */
  readonly imexChannels: readonly number[];
  /**
   * Whether missing channel nodes may be created on the host. The environment of an unprivileged container changes
   * nothing on the host.
   */
  readonly mayCreateImexChannels: boolean;
  /** Devices and files of a server beyond the driver's own; empty if the environment is not trusted. */
  readonly serverFeatures: readonly ServerFeature[];
  readonly migConfigDevices: "all" | undefined;
  readonly migMonitorDevices: "all" | undefined;
  /** Whether the image is one of the oldest CUDA images, which state their needs only with `CUDA_VERSION`. */
  readonly legacyImage: boolean;
  /** Whether `CAP_SYS_ADMIN` is in the container's bounding set. */
  readonly privileged: boolean;
}
