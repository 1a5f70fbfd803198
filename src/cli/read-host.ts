import { type LoadedConfig, loadConfig } from "../config/load-config.ts";
import { detectPlatform, type Platform } from "../discover/detect-platform.ts";
import { chooseSelection } from "../manifest/choose-selection.ts";
import type { Manifest } from "../manifest/parse-manifest.ts";
import { readManifests } from "../manifest/read-manifests.ts";
import type { HostPath } from "../model/paths.ts";
import { absolutePath } from "./absolute-path.ts";
import type { CommandContext } from "./command.ts";

/** What holds for every container on this host. */
export interface HostFacts {
  readonly loaded: LoadedConfig;
  readonly platform: Platform;
  /** Whether the driver is found by manifests: on Tegra, unless the configuration says otherwise. */
  readonly usesManifests: boolean;
  readonly manifestDirectory: HostPath;
  /** The manifests that are read for a container that does not say which. */
  readonly manifests: Manifest;
}

/**
 * Reads configuration, platform and manifests as the hook does.
 *
 * @param config the value of `--config`.
 * @throws NvociError "config-invalid"
 */
export function readHost({ host, environ }: CommandContext, config: string | undefined): HostFacts {
  const option = config === undefined ? undefined : absolutePath(host, config);
  const loaded = loadConfig(host, environ, option);
  const platform = detectPlatform(host);
  const release = platform.kind === "tegra" ? platform.release : undefined;
  const { mode } = loaded.config.nvidiaContainerRuntime;
  const usesManifests = mode === "csv" || (mode === "auto" && platform.kind === "tegra");
  const manifestDirectory = loaded.config.nvidiaContainerRuntime.modes.csv.mountSpecPath;
  const selection = chooseSelection(undefined, loaded.config.nvoci.csvMounts, release);
  return {
    loaded,
    platform,
    usesManifests,
    manifestDirectory,
    manifests: readManifests(host, manifestDirectory, selection),
  };
}
