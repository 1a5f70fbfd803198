import type { HostPath } from "../model/paths.ts";

/** One change of the host itself, as opposed to a container. */
export type SetupAction =
  | { readonly do: "load-module"; readonly name: string }
  | { readonly do: "make-directory"; readonly path: HostPath }
  /** Removes what is in the way: a node with another number, a link that leads elsewhere. */
  | { readonly do: "remove"; readonly path: HostPath }
  | {
      readonly do: "make-node";
      readonly path: HostPath;
      readonly major: number;
      readonly minor: number;
      /** Permission bits. */
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | { readonly do: "make-link"; readonly path: HostPath; readonly target: string };

/** What has to be done for one device node. Nothing of it makes sense once a part of it has failed. */
export interface NodePlan {
  readonly path: HostPath;
  /** In the order in which they have to be made. */
  readonly actions: readonly SetupAction[];
}
