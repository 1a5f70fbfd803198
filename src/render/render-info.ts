import type { Platform } from "../discover/detect-platform.ts";
import { alignColumns } from "./align-columns.ts";
import { renderPlatform } from "./render-platform.ts";
import { showPath } from "./show-path.ts";

/** What `nvoci info` tells. */
export interface Info {
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
