import type { HostArchitecture } from "../../ldcache/architecture.ts";
import type { ContainerEdits, GeneratedDirectory } from "../../model/container-edits.ts";
import { NvociError } from "../../model/errors.ts";
import type { Finding } from "../../model/finding.ts";
import type { ContainerPath } from "../../model/paths.ts";
import { checkRequirements } from "../../request/requirements.ts";
import type { Triplet } from "../debian-layout.ts";
import { applicationProfile } from "./application-profile.ts";
import { libraryDirectory } from "./container-directories.ts";
import { hostCudaVersion } from "./cuda-version.ts";
import { addControlNodes, addGpuNodes, addImexNodes, collectDevices, deviceRoot } from "./device-nodes.ts";
import { discoverLibraries } from "./driver-libraries.ts";
import { driverRoot } from "./driver-root.ts";
import { readDriverVersion } from "./driver-version.ts";
import { discoverFeatures } from "./feature-files.ts";
import { discoverFirmware } from "./firmware.ts";
import { gpuBrands } from "./gpu-brands.ts";
import { discoverGpus, type Gpu } from "./gpus.ts";
import { addDrmNodes, discoverGraphicsFiles } from "./graphics-files.ts";
import { discoverIpc } from "./ipc.ts";
import { withImplied } from "./library-table.ts";
import { addMigManagement, addMigNodes, discoverMigDevices, type MigDevice } from "./mig.ts";
import { procDriver } from "./proc-driver.ts";
import { discoverPrograms } from "./programs.ts";
import { selectGpus } from "./select-gpus.ts";
import type { ServerInput } from "./server-input.ts";

const ARCHITECTURES: Readonly<Record<Triplet, HostArchitecture>> = {
  "x86_64-linux-gnu": "x86_64",
  "aarch64-linux-gnu": "aarch64",
};

/** What a container gets of a server's driver. */
export interface ServerDiscovery {
  readonly edits: ContainerEdits;
  /** Directories with a content of their own. */
  readonly generated: readonly GeneratedDirectory[];
  readonly findings: readonly Finding[];
  /** Of the kernel modules. */
  readonly driverVersion: string;
  /** CUDA version of the host's driver; reads libcuda when it is called. */
  readonly cudaVersion: () => string | undefined;
  readonly gpus: readonly Gpu[];
  readonly migDevices: readonly MigDevice[];
  /** The container's directory of driver libraries, for ldconfig. */
  readonly libraryDirectory: ContainerPath;
}

/**
 * Finds everything that a container gets of the NVIDIA driver of a server: devices, libraries, programs, firmware
 * and sockets, by what it asks for. Reads files only; loads no library, opens no device and changes nothing.
 *
 * @throws {NvociError} `platform-unsupported` when no driver is loaded, `driver-mismatch` when its libraries are of
 *   another version, `device-unknown` for a GPU that is not there, `requirement-unmet` when the image needs another
 *   host, `request-invalid` when its demands cannot be read.
 */
export function discoverServer(input: ServerInput): ServerDiscovery {
  const { host, request, container } = input;
  const architecture = ARCHITECTURES[input.triplet];
  const driverVersion = readDriverVersion(host) ?? refuseMissingDriver();
  const capabilities = withImplied(request.driverCapabilities);
  const root = driverRoot(host, input.driverRoot);

  const present = discoverGpus(host);
  const instances = discoverMigDevices(host, present.gpus);
  const selected = selectGpus(present.gpus, instances, request.visibleDevices, request.source);

  const libraries = discoverLibraries({
    root,
    architecture,
    ldCache: input.ldCache,
    librarySearchPaths: input.librarySearchPaths,
    capabilities: request.driverCapabilities,
    driverVersion,
    container,
  });
  let cuda: { readonly version: string | undefined } | undefined;
  const cudaVersion = (): string | undefined => {
    cuda ??= { version: hostCudaVersion(host, libraries.libcuda, driverVersion) };
    return cuda.version;
  };
  const unchecked = checkRequirements(request.requirements, {
    driver: driverVersion,
    get cuda() {
      return cudaVersion();
    },
    gpus: selected.gpus.map(({ model }) => ({ arch: undefined, brands: gpuBrands(model) })),
  });

  const devices = collectDevices(host, deviceRoot(host, input.driverRoot), input.givenDevices);
  addControlNodes(devices, capabilities);
  addGpuNodes(devices, selected.gpus);
  addMigNodes(devices, selected.migDevices);
  const managed = (["config", "monitor"] as const).filter((which) =>
    which === "config" ? request.migConfigDevices !== undefined : request.migMonitorDevices !== undefined,
  );
  addMigManagement(host, devices, instances, managed);
  addImexNodes(devices, request.imexChannels);
  const screens = capabilities.has("graphics") ? addDrmNodes(root, devices, selected.gpus) : [];

  const directory = libraryDirectory(container, architecture, 64);
  const graphics = discoverGraphicsFiles({
    root,
    capabilities,
    driverVersion,
    hostLibraries: libraries.hostDirectory,
    containerLibraries: directory,
  });
  const programs = discoverPrograms(root, capabilities);
  const firmware = discoverFirmware(root, driverVersion);
  const ipc = discoverIpc(root, capabilities);
  const features = discoverFeatures(root, devices, input.features ?? []);
  const profile = capabilities.has("graphics") ? [applicationProfile(selected.gpus)] : [];
  // The directory is the kernel's: a container whose procfs lacks it has nothing to hide there.
  const proc = container.hasProcDriver
    ? procDriver(host, selected.gpus, selected.migDevices, managed.length > 0)
    : undefined;

  return {
    edits: {
      deviceNodes: devices.nodes,
      mounts: [
        ...[libraries, programs, graphics, firmware, ipc, features].flatMap(({ mounts }) => mounts),
        ...(proc?.mounts ?? []),
      ],
      links: [...libraries.links, ...graphics.links, ...screens],
    },
    generated: [...(proc === undefined ? [] : [proc.directory]), ...profile],
    findings: [
      present,
      libraries,
      { findings: unchecked },
      devices,
      programs,
      firmware,
      ipc,
      features,
    ].flatMap(({ findings }) => findings),
    driverVersion,
    cudaVersion,
    gpus: selected.gpus,
    migDevices: selected.migDevices,
    libraryDirectory: directory,
  };
}

function refuseMissingDriver(): never {
  throw new NvociError(
    "platform-unsupported",
    'Cannot use "the NVIDIA driver": its kernel modules are not loaded, /proc/driver/nvidia/version is missing',
    ["modprobe nvidia loads an installed driver"],
  );
}
