import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Build } from "../build/builds.ts";

/** Names of NVIDIA's programs that nvoci provides. */
const NAMES = ["nvidia-container-runtime", "nvidia-container-runtime-hook"];

/**
 * Creates a directory of links to a build, as an installation does.
 *
 * @returns the path of the wrapper.
 */
export function installLinks(build: Build, directory: string): string {
  mkdirSync(directory, { recursive: true });
  for (const name of NAMES) symlinkSync(build.path, join(directory, name));
  return join(directory, "nvidia-container-runtime");
}
