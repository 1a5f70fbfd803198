import type { SetupAction } from "../host-setup/plan-nodes.ts";
import { showPath } from "./show-path.ts";

/** What was done to the host, or what would be: a line each. */
export function renderSetup(actions: readonly SetupAction[], dryRun: boolean): string[] {
  if (actions.length === 0) return ["Nothing to do."];
  return actions.map((action) => `${dryRun ? WOULD[action.do] : DID[action.do]} ${object(action)}`);
}

const DID: Readonly<Record<SetupAction["do"], string>> = {
  "load-module": "loaded kernel module",
  "make-directory": "made directory",
  remove: "removed",
  "make-node": "made device",
  "make-link": "made link",
};

const WOULD: Readonly<Record<SetupAction["do"], string>> = {
  "load-module": "would load kernel module",
  "make-directory": "would make directory",
  remove: "would remove",
  "make-node": "would make device",
  "make-link": "would make link",
};

function object(action: SetupAction): string {
  switch (action.do) {
    case "load-module":
      return action.name;
    case "make-directory":
    case "remove":
      return showPath(action.path);
    case "make-node": {
      const { path, major, minor, mode, uid, gid } = action;
      return `${showPath(path)} (c ${major}:${minor}, mode ${mode.toString(8).padStart(4, "0")}, owner ${uid}:${gid})`;
    }
    case "make-link":
      return `${showPath(action.path)} -> ${showPath(action.target)}`;
  }
}
