import type { Platform } from "../discover/detect-platform.ts";
import type { SetupAction } from "../host-setup/plan-nodes.ts";
import { alignColumns, showPath } from "./text.ts";

/** `Tegra, L4T 36.4.3`, or `server`. */
export function renderPlatform(platform: Platform): string {
  if (platform.kind === "server") return "server";
  const { release } = platform;
  return release === undefined
    ? "Tegra, unknown L4T release"
    : `Tegra, L4T ${release.major}.${release.revision}`;
}

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

/** What `nvoci info` tells. */
interface Info {
  readonly version: string;
  readonly engine: string;
  readonly arch: string;
  readonly platform: Platform;
  /** Version of the loaded kernel modules; a Jetson's are told by the L4T release instead. */
  readonly driver: string | undefined;
  readonly configFile: string | undefined;
  /** Absent where the driver is not found by manifests. */
  readonly manifestDirectory: string | undefined;
}

/** A name and a value a line. */
export function renderInfo(info: Info): string[] {
  const rows = [
    ["nvoci", info.version],
    ["engine", info.engine],
    ["architecture", info.arch],
    ["platform", renderPlatform(info.platform)],
  ];
  if (info.manifestDirectory === undefined) rows.push(["driver", info.driver ?? "not loaded"]);
  else rows.push(["manifests", showPath(info.manifestDirectory)]);
  rows.push([
    "configuration",
    info.configFile === undefined ? "built-in defaults" : showPath(info.configFile),
  ]);
  return alignColumns(rows);
}
