import type { HostView } from "../../model/host-view.ts";
import type { HostPath } from "../../model/paths.ts";
import type { Request } from "../../request/request.ts";
import type { ServerFeature } from "../../request/server-features.ts";
import type { Triplet } from "../debian-layout.ts";
import type { ServerContainer } from "./container-directories.ts";

/** Everything that decides which of a server's files and devices a container gets. */
export interface ServerInput {
  readonly host: HostView;
  /** The host's own machine, in Debian's words. */
  readonly triplet: Triplet;
  /** Where the driver's files are; `/` unless a container carries the driver. */
  readonly driverRoot: HostPath;
  /** Inside the driver root. Default `/etc/ld.so.cache`. */
  readonly ldCache?: HostPath | undefined;
  /** More directories with driver libraries, inside the driver root. A library in them is preferred. */
  readonly librarySearchPaths?: readonly HostPath[];
  readonly request: Pick<
    Request,
    | "visibleDevices"
    | "source"
    | "driverCapabilities"
    | "requirements"
    | "imexChannels"
    | "migConfigDevices"
    | "migMonitorDevices"
  >;
  /** Devices and files beyond the driver's own that the container asks for. */
  readonly features?: readonly ServerFeature[];
  readonly container: ServerContainer;
  /** Container paths of the device nodes that config.json has already. */
  readonly givenDevices: ReadonlySet<string>;
}
