import type { NvociError } from "../../model/errors.ts";
import type { Machine } from "../../model/machine.ts";
import type { HostPath } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";
import type { CommandContext } from "../command.ts";
import type { Decision } from "../imaginary-container.ts";
import type { HostReport } from "../read-host.ts";

/*
 * Types only: every check takes the same input.
 */

/** What a check sees of the host. Everything in it only reads. */
export interface HostFacts {
  readonly host: HostView;
  readonly machine: Machine;
  readonly environ: readonly string[];
  readonly isRoot: boolean;
  /** This program's own file. */
  readonly self: HostPath;
  /** Configuration, platform and manifests. */
  readonly report: HostReport;
  /** The plan for a container that requests everything, or why there is none. */
  readonly decision: Decision | NvociError;
  /** The plan for the same container without GPUs: the driver's files. */
  readonly files: Decision | NvociError;
  /** Returns when a file's content, name or owner last changed, in seconds since 1970. Follows no link. */
  readonly changed: (path: HostPath) => number | undefined;
  /** Asks a service for a JSON document over HTTP; `undefined` if it does not answer. */
  readonly ask: (socket: string, path: string) => unknown;
  readonly system: CommandContext["system"];
}
