import type { Platform } from "../discover/detect-platform.ts";

/** `Tegra, L4T 36.4.3`, or `server`. */
export function renderPlatform(platform: Platform): string {
  if (platform.kind === "server") return "server";
  const { release } = platform;
  return release === undefined
    ? "Tegra, unknown L4T release"
    : `Tegra, L4T ${release.major}.${release.revision}`;
}
