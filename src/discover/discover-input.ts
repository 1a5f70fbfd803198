import type { Config } from "../config/config.ts";
import type { ContainerEdits } from "../model/container-edits.ts";
import type { Report } from "../model/finding.ts";
import type { Machine } from "../model/machine.ts";
import type { HostView, ImageView } from "../model/views.ts";
import type { Request } from "../request/request.ts";

/*
 * Types only: every part of discovery takes the same input.
 */

/** Everything that determines the devices of a container. */
export interface DeviceInput {
  readonly host: HostView;
  readonly machine: Machine;
  readonly config: Config;
  readonly request: Request;
  /** Container paths of the device nodes that config.json already lists. */
  readonly givenDevices: ReadonlySet<string>;
}

/** Everything that determines the edits of a container. */
export interface DiscoverInput extends DeviceInput {
  /** Determines where libraries go, never what is read on the host. */
  readonly image: ImageView;
}

/** The two ways to find a driver: by the manifests of a board, and by the library cache of a server. */
export interface Finders<I extends DeviceInput> {
  board(input: I, report: Report): ContainerEdits;
  server(input: I, report: Report): ContainerEdits;
}
