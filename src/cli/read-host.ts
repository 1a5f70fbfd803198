import { type LoadedConfig, loadConfig } from "../config/load-config.ts";
import { detectPlatform, type Platform, usesManifests } from "../discover/detect-platform.ts";
import type { Manifest, MountSpec } from "../manifest/parse-manifest.ts";
import { readManifests } from "../manifest/read-manifests.ts";
import { chooseSelection } from "../manifest/select-manifests.ts";
import type { Finding, FindingCode } from "../model/finding.ts";
import type { HostPath } from "../model/paths.ts";
import { absolutePath, type CommandContext } from "./command.ts";

/** A manifest entry, and whether the host has what it names. */
interface EntryState {
  readonly spec: MountSpec;
  readonly found: boolean;
}

/** Findings about skipped entries. A duplicate is not skipped: another entry provides it. */
const LEFT_OUT: readonly FindingCode[] = [
  "entry-missing",
  "entry-no-match",
  "entry-dangling",
  "entry-unreadable",
  "entry-wrong-type",
];

/** Returns the state of each entry, in order, from the findings of a discovery. */
export function entryStates(specs: readonly MountSpec[], findings: readonly Finding[]): EntryState[] {
  const missing = new Set(findings.filter(({ code }) => LEFT_OUT.includes(code)).map(({ source }) => source));
  return specs.map((spec) => ({ spec, found: !missing.has(spec.source) }));
}

/** What is the same for every container on this host. */
export interface HostReport {
  readonly loaded: LoadedConfig;
  /** Findings about the configuration. */
  readonly configFindings: readonly Finding[];
  readonly platform: Platform;
  /** Whether the driver is found by manifests: on Tegra, unless the configuration says otherwise. */
  readonly usesManifests: boolean;
  readonly manifestDirectory: HostPath;
  /** The manifests that are read for a container that does not select any. */
  readonly manifests: Manifest;
}

/**
 * Reads configuration, platform and manifests as the hook does.
 *
 * @param config the value of `--config`.
 * @throws {NvociError} "config-invalid" when the configuration cannot be used.
 */
export function readHost({ host, environ }: CommandContext, config: string | undefined): HostReport {
  const option = config === undefined ? undefined : absolutePath(host, config);
  const configFindings: Finding[] = [];
  const loaded = loadConfig(host, environ, option, [], (found) => configFindings.push(found));
  const platform = detectPlatform(host, loaded.config);
  const manifestDirectory = loaded.config.nvidiaContainerRuntime.modes.csv.mountSpecPath;
  const selection = chooseSelection(undefined, loaded.config.nvoci.csvMounts, platform.release);
  const findings: Finding[] = [];
  const specs = readManifests(host, manifestDirectory, selection, (found) => findings.push(found));
  return {
    loaded,
    configFindings,
    platform,
    usesManifests: usesManifests(host, loaded.config),
    manifestDirectory,
    manifests: { specs, findings },
  };
}
