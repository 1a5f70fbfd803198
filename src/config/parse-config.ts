import type { LdconfigChoice } from "../model/container-edits.ts";
import { DRIVER_CAPABILITIES, type DriverCapability, SWARM_PREFIX } from "../model/driver-capability.ts";
import { finding, type Report } from "../model/finding.ts";
import { containerPath, type HostPath, hostPath } from "../model/paths.ts";
import { quote, splitList } from "../text/quote.ts";
import { type Config, DEFAULT_CONFIG, type ExtraDirectory } from "./config.ts";
import { parseRuntime } from "./parse-runtime.ts";
import { parseToml, TableReader } from "./table-reader.ts";

/**
 * Reads the table `nvoci`, whose keys no other program has.
 *
 * @param alternateRoots the default of `alternate-roots`.
 * @throws {NvociError} "config-invalid" when a value is invalid.
 */
export function parseNvoci(table: TableReader, alternateRoots: readonly HostPath[]): Config["nvoci"] {
  const defaults = DEFAULT_CONFIG.nvoci;
  const nvoci = {
    alternateRoots: table.paths("alternate-roots") ?? alternateRoots,
    csvMounts: table.oneOf("csv-mounts", ["auto", "all", "base"] as const) ?? defaults.csvMounts,
    ldconfig: table.boolean("ldconfig") ?? defaults.ldconfig,
    librarySearchPaths: table.paths("library-search-paths") ?? defaults.librarySearchPaths,
    directories: table.tables("directories").map(parseDirectory),
  };
  table.reportUnread();
  return nvoci;
}

function parseDirectory(table: TableReader): ExtraDirectory {
  const host = table.path("host");
  if (host === undefined) throw table.invalid("host", "is missing: set it to a directory of the host");
  const container = table.path("container") ?? host;
  if (container === "/") throw table.invalid("container", 'must not be "/", which would hide the image');
  table.reportUnread();
  return { host, container: containerPath(container) };
}

/**
 * Parses `config.toml`. Unknown keys are reported as findings, and so are keys of the NVIDIA Container Toolkit
 * that nvoci does not read; those may have values of any type.
 *
 * @param fileName the file's name in errors and findings.
 * @throws {NvociError} "config-invalid" when the file is invalid; the message has the file and the line or key.
 */
export function parseConfig(text: string, fileName: string, report: Report): Config {
  const top = new TableReader(fileName, parseToml(text, fileName), report);
  const features = parseFeatures(report, top.table("features"));
  const { runtime, alternateRoots } = parseRuntime(report, top.table("nvidia-container-runtime"));
  const config: Config = {
    acceptNvidiaVisibleDevicesAsVolumeMounts:
      top.boolean("accept-nvidia-visible-devices-as-volume-mounts") ??
      DEFAULT_CONFIG.acceptNvidiaVisibleDevicesAsVolumeMounts,
    acceptNvidiaVisibleDevicesEnvvarWhenUnprivileged:
      top.boolean("accept-nvidia-visible-devices-envvar-when-unprivileged") ??
      DEFAULT_CONFIG.acceptNvidiaVisibleDevicesEnvvarWhenUnprivileged,
    disableRequire: top.boolean("disable-require") ?? DEFAULT_CONFIG.disableRequire,
    supportedDriverCapabilities: parseCapabilities(top),
    swarmResource: parseSwarmResource(report, top),
    nvidiaContainerCli: parseCli(top.table("nvidia-container-cli"), features.allowLdconfigFromContainer),
    nvidiaContainerRuntime: runtime,
    nvidiaContainerRuntimeHook: parseHook(top.table("nvidia-container-runtime-hook")),
    features,
    nvoci: parseNvoci(top.table("nvoci"), alternateRoots),
  };
  top.table("nvidia-ctk").reportUnread();
  top.reportUnread();
  return config;
}

function parseCapabilities(top: TableReader): readonly DriverCapability[] {
  const key = "supported-driver-capabilities";
  const words = splitList(top.string(key) ?? "all");
  if (words.includes("all")) return DRIVER_CAPABILITIES;
  const unknown = words.find((word) => !DRIVER_CAPABILITIES.some((known) => known === word));
  if (unknown !== undefined) {
    throw top.invalid(
      key,
      `contains ${quote(unknown)}, which is not one of all, ${DRIVER_CAPABILITIES.join(", ")}`,
    );
  }
  return DRIVER_CAPABILITIES.filter((known) => words.includes(known));
}

/**
 * Reports variables without swarm's prefix: the file is read only for containers that request GPUs, and such a
 * variable alone does not count as a request.
 */
function parseSwarmResource(report: Report, top: TableReader): readonly string[] {
  const variables = splitList(top.string("swarm-resource") ?? "");
  for (const variable of variables) {
    if (variable.startsWith(SWARM_PREFIX)) continue;
    const file = top.document.name;
    const source = `${file}: swarm-resource`;
    const args = { file, variable };
    report(finding("config-swarm-resource-unseen", "warning", source, args));
  }
  return variables;
}

/** Reads the features. No file of an image is ever mounted, whatever the configuration says. */
function parseFeatures(report: Report, table: TableReader): Config["features"] {
  const mountsImage = "allow-cuda-compat-libs-from-container";
  if (table.boolean(mountsImage)) report(table.replaced(mountsImage, "true", "false"));
  const features = {
    allowLdconfigFromContainer: table.boolean("allow-ldconfig-from-container") ?? false,
    disableCudaCompatLibHook: table.boolean("disable-cuda-compat-lib-hook") ?? false,
    disableImexChannelCreation: table.boolean("disable-imex-channel-creation") ?? false,
    ignoreImexChannelRequests: table.boolean("ignore-imex-channel-requests") ?? false,
    noAdditionalGidsForDeviceNodes: table.boolean("no-additional-gids-for-device-nodes") ?? false,
  };
  table.reportUnread();
  return features;
}

function parseCli(table: TableReader, allowContainer: boolean): Config["nvidiaContainerCli"] {
  const defaults = DEFAULT_CONFIG.nvidiaContainerCli;
  const cli = {
    debug: table.path("debug"),
    ldcache: table.path("ldcache"),
    ldconfig: parseLdconfig(table, allowContainer),
    loadKmods: table.boolean("load-kmods") ?? defaults.loadKmods,
    mpsPipeDirectory: parseMpsPipeDirectory(table) ?? defaults.mpsPipeDirectory,
    noCgroups: table.boolean("no-cgroups") ?? defaults.noCgroups,
    root: table.path("root") ?? defaults.root,
  };
  table.reportUnread();
  return cli;
}

const MPS_VARIABLE = "CUDA_MPS_PIPE_DIRECTORY=";

/**
 * Returns the directory that `environment` names for MPS. The hook's own environment does not count: an image may have
 * set it, and containers get the directory writable.
 */
function parseMpsPipeDirectory(table: TableReader): HostPath | undefined {
  const entries = table.strings("environment") ?? [];
  const own = entries.filter((text) => text.startsWith(MPS_VARIABLE));
  if (own.length < entries.length) table.reportUnused("environment", "other-program");
  const entry = own.at(-1);
  if (entry === undefined) return undefined;
  const value = entry.slice(MPS_VARIABLE.length);
  const path = hostPath(value);
  if (value.startsWith("/") && !value.includes("\0") && path !== "/") return path;
  throw table.invalid(
    "environment",
    `must set CUDA_MPS_PIPE_DIRECTORY to an absolute path below "/", not ${quote(value)}`,
  );
}

function parseLdconfig(table: TableReader, allowContainer: boolean): LdconfigChoice {
  const text = table.string("ldconfig") ?? "";
  if (text === "") return DEFAULT_CONFIG.nvidiaContainerCli.ldconfig;
  const path = text.startsWith("@") ? text.slice(1) : text;
  if (!path.startsWith("/") || path.includes("\0")) {
    throw table.invalid("ldconfig", `must be an absolute path after @, not ${quote(text)}`);
  }
  if (text.startsWith("@")) return { from: "host", path: withoutReal(hostPath(path)) };
  if (allowContainer) return { from: "container", path: containerPath(path) };
  throw table.invalid(
    "ldconfig",
    `must start with @, for the host's program: ${quote(text)} would run a program of the image as root`,
  );
}

const withoutReal = (path: HostPath): HostPath => hostPath(path.replace(/\.real$/, ""));

function parseHook(table: TableReader): Config["nvidiaContainerRuntimeHook"] {
  const fallback = DEFAULT_CONFIG.nvidiaContainerRuntimeHook.path;
  const path = table.string("path") || fallback;
  if (path.includes("/") && !path.startsWith("/")) {
    throw table.invalid("path", `must be an absolute path or a name, not ${quote(path)}`);
  }
  table.reportUnread();
  return { path };
}
