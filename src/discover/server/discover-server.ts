import { type ContainerEdits, joinEdits, NO_EDITS } from "../../model/container-edits.ts";
import type { Report } from "../../model/finding.ts";
import type { ContainerPath } from "../../model/paths.ts";
import { checkRequirements, type VersionFact } from "../../request/requirements.ts";
import { prefersCompat, readCompat } from "../compat/forward-compat.ts";
import { compatDirectory } from "../compat-directory.ts";
import type { DeviceInput, DiscoverInput } from "../discover-input.ts";
import { libraryDirectories } from "../library-places.ts";
import { besideLibraries } from "./beside-libraries.ts";
import type { ChosenLibrary } from "./choose-libraries.ts";
import { controlNodes, drmNodes, gpuNodes, imexNodes, migNodes } from "./device-finders.ts";
import { findLibraries, hostDirectory, libcudaOf, libraryEdits } from "./driver-libraries.ts";
import { graphicsFiles } from "./graphics-files.ts";
import { namedLibraries } from "./named-libraries.ts";
import { features, firmware, programs, sockets } from "./optional-files.ts";
import { applicationProfile, procDriver } from "./proc-driver.ts";
import { gpuBrands, hostCudaVersion } from "./requirement-facts.ts";
import { type Finder, readServer, type Server, type ServerAndImage } from "./server.ts";
import { unlistedLibraries } from "./unlisted-libraries.ts";

/** All finders except that of the libraries, in the order of the edits. */
const FINDERS: readonly Finder[] = [
  controlNodes,
  gpuNodes,
  migNodes,
  imexNodes,
  programs,
  graphicsFiles,
  drmNodes,
  firmware,
  sockets,
  features,
  procDriver,
  applicationProfile,
];

/** The finders of device nodes. */
const DEVICE_FINDERS: readonly Finder<Server>[] = [
  controlNodes,
  gpuNodes,
  migNodes,
  imexNodes,
  drmNodes,
  features,
];

/**
 * Finds everything that a container gets of a server's NVIDIA driver: the requested devices, libraries, programs,
 * firmware and sockets. Only reads files; loads no library, opens no device and changes nothing.
 *
 * @throws {NvociError} "platform-unsupported" when no driver is loaded.
 * @throws {NvociError} "driver-mismatch" when the driver's libraries and kernel modules differ in version.
 * @throws {NvociError} "device-unknown" when the host does not have a requested GPU, or its device node.
 * @throws {NvociError} "requirement-unmet" when the host does not meet a requirement of the image.
 * @throws {NvociError} "request-invalid" when a requirement of the image is invalid.
 */
export function discoverServer(input: DiscoverInput, report: Report): ContainerEdits {
  const server: ServerAndImage = { ...readServer(input, report), image: input.image };
  const { libraries, cudaVersion } = checkDriver(server);
  const directories = libraryDirectories(server.image, server.machine);
  const found = joinEdits([
    libraryEdits(server.root, [...libraries, ...unlistedLibraries(server, libraries)], directories),
    besideLibraries(server, hostDirectory(libraries), directories[64]),
    ...FINDERS.map((find) => find(server)),
    { compatFolder: compatFolder(server, cudaVersion) },
  ]);
  return joinEdits([found, { mounts: namedLibraries(server, found, directories[64]) }]);
}

/**
 * Finds only the device nodes, for a config.json. Refuses everything that {@link discoverServer} refuses.
 *
 * @throws {NvociError} as {@link discoverServer} does.
 */
export function discoverServerDevices(input: DeviceInput, report: Report): ContainerEdits {
  const server = readServer(input, report);
  checkDriver(server);
  return { ...NO_EDITS, deviceNodes: DEVICE_FINDERS.flatMap((find) => find(server).deviceNodes ?? []) };
}

/** The host's driver, after it has met the container's requirements. */
interface CheckedDriver {
  readonly libraries: readonly ChosenLibrary[];
  /** Returns the CUDA version of the host's driver. Reads libcuda on the first call. */
  readonly cudaVersion: () => VersionFact | undefined;
}

function checkDriver(server: Server): CheckedDriver {
  const { host, request, version, gpus, report } = server;
  const libraries = findLibraries(server);
  let cuda: { readonly fact: VersionFact | undefined } | undefined;
  const cudaVersion = (): VersionFact | undefined => {
    cuda ??= { fact: hostCudaVersion(host, libcudaOf(libraries), version) };
    return cuda.fact;
  };
  const facts = {
    driver: version,
    cuda: cudaVersion,
    gpus: gpus.map(({ model }) => ({ arch: undefined, brands: gpuBrands(model) })),
  };
  checkRequirements(request.requirements, facts, report);
  return { libraries, cudaVersion };
}

/** Returns the image's directory of CUDA libraries if the container should prefer them to the host's. */
function compatFolder(
  { host, image, config, request, version: driver }: ServerAndImage,
  cuda: () => VersionFact | undefined,
): ContainerPath | undefined {
  if (!request.driverCapabilities.includes("compute")) return undefined;
  const directory = compatDirectory(host, config);
  const library = directory && readCompat(image, directory);
  return library && prefersCompat(library, { driver, cuda }) ? directory : undefined;
}
