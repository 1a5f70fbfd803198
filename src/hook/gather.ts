import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load-config.ts";
import { chooseLdconfig } from "../discover/choose-ldconfig.ts";
import type { ContainerFacts } from "../discover/container-facts.ts";
import { type Triplet, tripletOf } from "../discover/debian-layout.ts";
import { discoverDriver, type FromCache } from "../discover/discover-driver.ts";
import { readSoname } from "../discover/elf/read-soname.ts";
import { extraDirectories } from "../discover/extra-directories.ts";
import { libraryFolders } from "../discover/library-folders.ts";
import { sonameLinks } from "../discover/soname-links.ts";
import { loadBundle } from "../load.ts";
import { append } from "../model/append.ts";
import type { ContainerEdits } from "../model/container-edits.ts";
import { type Finding, finding } from "../model/finding.ts";
import type { HostView } from "../model/host-view.ts";
import { type HostPath, hostPath } from "../model/paths.ts";
import type { Spec } from "../oci/spec.ts";
import type { Operation } from "../plan/operation.ts";
import { plan } from "../plan/plan.ts";
import type { Request } from "../request/request.ts";
import { resolveRequest } from "../request/resolve-request.ts";
import { linuxHost } from "../sys/linux-host.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { DEBIAN_IMAGE, readContainerFacts } from "./container-facts.ts";
import type { HookOptions } from "./prestart.ts";

/** Everything that is decided about a container before anything is done to it. */
export interface Gathered {
  readonly config: Config;
  /** Absent: the container asks for nothing, or for what it may not have. */
  readonly request: Request | undefined;
  readonly edits: ContainerEdits;
  readonly operations: readonly Operation[];
  readonly findings: readonly Finding[];
}

const NO_EDITS: ContainerEdits = { deviceNodes: [], mounts: [], links: [] };

/** Where everything is read. */
export interface Surroundings {
  readonly host: HostView;
  readonly triplet: Triplet;
  /** Looks at the image; asked once, and only for a container that asks. */
  readonly container: () => ContainerFacts;
  readonly prepare: Prepare;
  readonly fromCache: FromCache;
}

/** A bundle of its own: a board with manifests alone does not read it. */
const fromCache: FromCache = (input, request) =>
  loadBundle<typeof import("../discover/from-cache.ts")>("server").fromCache(input, request);

/** What is looked for: everything that the container gets, or the device nodes that config.json is to have. */
export type Scope = "everything" | "devices";

/** What is done to the host, before it is looked at, for a container that asks. The default is nothing. */
export type Prepare = (config: Config, request: Request) => readonly Finding[];

/**
 * Reads the host and the image and plans the injection. Changes nothing but what `prepare` changes.
 *
 * @param root the container's root as it is to be looked into: below /proc/PID/root for a live container. Without
 * one, a Debian image is taken for granted.
 * @param scope of `devices` there is no plan, and the files of manifests are not looked for.
 */
export function gather(
  system: Syscalls,
  spec: Spec,
  root: HostPath | undefined,
  options: HookOptions,
  prepare: Prepare = () => [],
  scope: Scope = "everything",
): Gathered {
  const triplet = tripletOf(system.arch);
  const container = (): ContainerFacts =>
    root === undefined ? DEBIAN_IMAGE : readContainerFacts(system, root, triplet);
  return gatherFrom(
    { host: linuxHost(system), triplet, container, prepare, fromCache },
    spec,
    options,
    scope,
  );
}

/** The same from any host, without a system call of its own. */
export function gatherFrom(
  { host, triplet, container: look, prepare, fromCache }: Surroundings,
  spec: Spec,
  options: Omit<HookOptions, "debug">,
  scope: Scope = "everything",
): Gathered {
  const loaded = loadConfig(host, options.environ, options.config, spec.env);
  const { config } = loaded;
  const asked = resolveRequest(spec, config);
  const findings: Finding[] = [...loaded.findings, ...asked.findings];
  const { request } = asked;
  if (request === undefined) return { config, request, edits: NO_EDITS, operations: [], findings };

  append(findings, prepare(config, request));
  const container = look();
  const input = {
    host,
    triplet,
    config,
    request,
    features: request.serverFeatures,
    container,
    givenDevices: new Set(spec.devices.map((device) => device.path)),
    devicesOnly: scope === "devices",
  };
  const driver = discoverDriver(input, fromCache);
  if (scope === "devices") {
    return {
      config,
      request,
      edits: driver.edits,
      operations: [],
      findings: [...findings, ...driver.findings],
    };
  }
  const extra = extraDirectories(host, config.nvoci.directories);
  const chosen = chooseLdconfig(host, config, container);
  const found = { ...driver.edits, mounts: [...driver.edits.mounts, ...extra.mounts] };
  append(findings, [...driver.findings, ...extra.findings, ...chosen.findings]);
  const named =
    chosen.ldconfig === undefined && config.nvoci.ldconfig
      ? sonameLinks(found, ({ hostPath: path }) => readSoname(host, path))
      : [];
  if (named.length > 0) {
    findings.push(
      finding("ldconfig-none", "warning", "nvidia-container-cli.ldconfig", { links: named.length }),
    );
  }
  const edits = { ...found, links: [...found.links, ...named] };
  const operations = plan(edits, {
    ldconfig: chosen.ldconfig,
    libraryFolders: libraryFolders(host, edits.mounts),
    generated: driver.generated,
    compatFolder: driver.compatFolder,
    cgroups: !config.nvidiaContainerCli.noCgroups,
  });
  return { config, request, edits, operations, findings };
}

/** The container's root as a live container sees it: with the runtime's mounts, before it has pivoted. */
export const liveRoot = (pid: number, rootPath: HostPath): HostPath =>
  hostPath(`/proc/${pid}/root${rootPath}`);
