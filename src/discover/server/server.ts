import type { Config } from "../../config/config.ts";
import { type MigDevice, readMigDevices } from "../../driver/capabilities.ts";
import { driverNodeRoot } from "../../driver/device-nodes.ts";
import { readDriverVersion } from "../../driver/driver-version.ts";
import { type Gpu, readGpus } from "../../driver/gpus.ts";
import { type ContainerEdits, type DeviceNode, deviceNode } from "../../model/container-edits.ts";
import { type DriverCapability, withImplied } from "../../model/driver-capability.ts";
import { NvociError } from "../../model/errors.ts";
import { finding, type Report, type Source } from "../../model/finding.ts";
import type { Machine } from "../../model/machine.ts";
import { below, containerPath, type HostPath } from "../../model/paths.ts";
import type { HostView, ImageView } from "../../model/views.ts";
import type { Request } from "../../request/request.ts";
import type { DeviceInput } from "../discover-input.ts";
import { type DriverRoot, driverRoot } from "./driver-root.ts";
import { selectGpus } from "./select-gpus.ts";

/** A server's driver and one container's request: the input of every finder. Built once. */
export interface Server {
  readonly host: HostView;
  readonly machine: Machine;
  readonly config: Config;
  readonly request: Request;
  /** The requested capabilities and those that they imply. */
  readonly capabilities: ReadonlySet<DriverCapability>;
  readonly root: DriverRoot;
  /** The root whose /dev has the driver's nodes. */
  readonly nodeRoot: HostPath;
  /** Version of the kernel modules. */
  readonly version: string;
  /** The GPUs that the container gets. */
  readonly gpus: readonly Gpu[];
  /** The GPU instances that the container gets. */
  readonly migDevices: readonly MigDevice[];
  /** Every GPU instance of the host. */
  readonly allMigDevices: readonly MigDevice[];
  readonly report: Report;
}

/** The part of a host that its features are found in: a board has no server's driver. */
export type FeatureHost = Pick<Server, "host" | "request" | "root" | "nodeRoot" | "report">;

/** A server and the image that receives its files. */
export interface ServerAndImage extends Server {
  readonly image: ImageView;
}

/** Finds some of the edits of a container. Only reads files, and reports missing ones. */
export type Finder<S = ServerAndImage> = (server: S) => Partial<ContainerEdits>;

/**
 * Reads the version of the loaded driver and its GPUs, and selects the GPUs that the container requests.
 *
 * @throws {NvociError} "platform-unsupported" when no driver is loaded.
 * @throws {NvociError} "device-unknown" when a requested device does not name one GPU of the host.
 */
export function readServer(input: DeviceInput, report: Report): Server {
  const { host, machine, config, request } = input;
  const version = readDriverVersion(host) ?? refuseMissingDriver();
  const { root } = config.nvidiaContainerCli;
  const present = readGpus(host, report);
  const allMigDevices = readMigDevices(host, present);
  const selected = selectGpus(present, allMigDevices, request.visibleDevices, request.source);
  return {
    host,
    machine,
    config,
    request,
    capabilities: withImplied(request.driverCapabilities),
    root: driverRoot(host, root),
    nodeRoot: driverNodeRoot(host, root),
    version,
    ...selected,
    allMigDevices,
    report,
  };
}

function refuseMissingDriver(): never {
  throw new NvociError(
    "platform-unsupported",
    "Cannot use the NVIDIA driver: its kernel modules are not loaded (/proc/driver/nvidia/version is missing)",
    { hint: "load an installed driver with: modprobe nvidia" },
  );
}

/**
 * Finds the host's device node for a path of the container. Reports a missing node, and a file that is not one.
 */
export function findNode(
  { host, nodeRoot, report }: Pick<Server, "host" | "nodeRoot" | "report">,
  path: string,
  source: Source,
  severity: "info" | "warning" = "info",
): DeviceNode | undefined {
  const file = below(nodeRoot, path);
  const stat = host.lstat(file);
  if (stat === undefined) {
    report(finding("entry-missing", severity, source, { type: "dev", path }));
  } else if (stat.type !== "character-device") {
    report(finding("entry-wrong-type", "warning", source, { type: "dev", path, found: stat.type }));
  } else {
    return deviceNode(containerPath(path), file, stat, source);
  }
  return undefined;
}
