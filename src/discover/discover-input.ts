import type { Config } from "../config/config.ts";
import type { ContainerEdits } from "../model/container-edits.ts";
import type { Report } from "../model/finding.ts";
import type { Machine } from "../model/machine.ts";
import type { HostView, ImageView } from "../model/views.ts";
import type { Request } from "../request/request.ts";

/*
 * Types alone: every part of discovery, in whichever bundle, takes the same input.
 */

/** What decides which devices a container gets. */
export interface DeviceInput {
  readonly host: HostView;
  readonly machine: Machine;
  readonly config: Config;
  readonly request: Request;
  /** Container paths of the device nodes that config.json has already. */
  readonly givenDevices: ReadonlySet<string>;
}

/** What decides everything that a container gets. */
export interface DiscoverInput extends DeviceInput {
  /** Decides where libraries go, never what is read on the host. */
  readonly image: ImageView;
}

/** The two ways in which a driver is found: by the manifests of a board, and by the library cache of a server. */
export interface Finders<I extends DeviceInput> {
  board(input: I, report: Report): ContainerEdits;
  server(input: I, report: Report): ContainerEdits;
}
