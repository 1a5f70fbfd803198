import type { Platform } from "../discover/detect-platform.ts";
import type { SetupAction } from "../host-setup/plan-nodes.ts";
import { alignColumns, showPath } from "./text.ts";

/** Returns the platform as text: `Tegra, L4T 36.4.3`, or `server`. */
export function renderPlatform(platform: Platform): string {
  if (platform.kind === "server") return "server";
  const { release } = platform;
  return release === undefined
    ? "Tegra, unknown L4T release"
    : `Tegra, L4T ${release.major}.${release.revision}`;
}

/** Returns a line for each action that was done to the host or, with `dryRun`, would be done. */
export function renderSetup(actions: readonly SetupAction[], dryRun: boolean): string[] {
  if (actions.length === 0) return ["Nothing to do."];
  return actions.map((action) => `${dryRun ? WOULD[action.do] : DID[action.do]} ${object(action)}`);
}

const DID: Readonly<Record<SetupAction["do"], string>> = {
  "load-module": "loaded kernel module",
  "make-directory": "created directory",
  remove: "removed",
  "make-node": "created device",
  "make-link": "created link",
};

const WOULD: Readonly<Record<SetupAction["do"], string>> = {
  "load-module": "would load kernel module",
  "make-directory": "would create directory",
  remove: "would remove",
  "make-node": "would create device",
  "make-link": "would create link",
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

/** What `nvoci info` prints. */
interface Info {
  readonly version: string;
  readonly engine: string;
  readonly arch: string;
  readonly platform: Platform;
  /** Version of the loaded kernel modules; a Jetson has its L4T release instead. */
  readonly driver: string | undefined;
  readonly configFile: string | undefined;
  /** `undefined` if the driver is not found by manifests. */
  readonly manifestDirectory: string | undefined;
}

/** Returns the lines of `nvoci info`, a name and a value on each. */
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
