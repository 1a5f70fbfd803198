import type { Report } from "../model/finding.ts";
import { containerPath, type HostPath } from "../model/paths.ts";
import { quote } from "../text/quote.ts";
import { type Config, DEFAULT_CONFIG, type LogLevel, type RuntimeMode } from "./config.ts";
import type { TableReader } from "./table-reader.ts";

type Runtime = Config["nvidiaContainerRuntime"];

const DEFAULTS: Runtime = DEFAULT_CONFIG.nvidiaContainerRuntime;

/** Names of log levels, including those of the Go logging library. */
const LOG_LEVELS: Readonly<Record<string, LogLevel>> = {
  trace: "debug",
  debug: "debug",
  info: "info",
  warn: "warning",
  warning: "warning",
  error: "error",
  fatal: "error",
  panic: "error",
};

/**
 * Reads the table `nvidia-container-runtime`.
 *
 * @returns the table, and the alternate roots: those of the key `alt-roots` of meta-tegra's patch, or the default
 * ones.
 * @throws {NvociError} "config-invalid" when a value is invalid.
 */
export function parseRuntime(
  report: Report,
  table: TableReader,
): { readonly runtime: Runtime; readonly alternateRoots: readonly HostPath[] } {
  const modes = table.table("modes");
  const csv = modes.table("csv");
  const alternateRoots = csv.paths("alt-roots") ?? DEFAULT_CONFIG.nvoci.alternateRoots;
  const runtime: Runtime = {
    debug: table.path("debug"),
    logLevel: parseLogLevel(table),
    mode: parseMode(report, table),
    runtimes: parseRuntimes(table),
    modes: {
      cdi: parseCdi(modes.table("cdi")),
      csv: parseCsv(csv),
      legacy: parseLegacy(report, modes.table("legacy")),
    },
  };
  const jitCdi = modes.table("jit-cdi");
  jitCdi.ignore("load-kernel-modules", "nvcdi-disable-hooks", "nvcdi-feature-flags");
  for (const reader of [jitCdi, csv, modes, table]) reader.reportUnknown();
  return { runtime, alternateRoots };
}

function parseLogLevel(table: TableReader): LogLevel {
  const text = table.string("log-level") || DEFAULTS.logLevel;
  const level = Object.hasOwn(LOG_LEVELS, text.toLowerCase()) ? LOG_LEVELS[text.toLowerCase()] : undefined;
  if (level !== undefined) return level;
  throw table.invalid("log-level", `must be one of debug, info, warning, error, not ${quote(text)}`);
}

/**
 * Reads the mode. `jit-cdi` is the toolkit's name for what `auto` does in nvoci. `cdi` is refused: it restricts
 * containers to what specification files list, and ignoring it would give them more.
 */
function parseMode(report: Report, table: TableReader): RuntimeMode {
  const text = table.string("mode") || DEFAULTS.mode;
  if (text === "jit-cdi") {
    report(table.replaced("mode", text, "auto", "info"));
    return "auto";
  }
  if (text === "cdi") {
    throw table.invalid("mode", '"cdi" is not supported: set it to auto, csv or legacy, or leave it out');
  }
  return table.oneOf<RuntimeMode>("mode", ["auto", "csv", "legacy"]) ?? DEFAULTS.mode;
}

/**
 * Reads the member `runtimes`.
 *
 * @param table the table `nvidia-container-runtime`.
 * @throws {NvociError} "config-invalid" when the member is invalid.
 */
export function parseRuntimes(table: TableReader): readonly string[] {
  const runtimes = table.strings("runtimes") ?? DEFAULTS.runtimes;
  if (runtimes.length === 0) throw table.invalid("runtimes", "must name at least one runtime");
  for (const runtime of runtimes) {
    if (runtime === "" || (runtime.includes("/") && !runtime.startsWith("/"))) {
      throw table.invalid("runtimes", `must contain absolute paths or names, not ${quote(runtime)}`);
    }
  }
  return runtimes;
}

function parseCdi(table: TableReader): Runtime["modes"]["cdi"] {
  const defaultKind = table.string("default-kind") || DEFAULTS.modes.cdi.defaultKind;
  table.ignore("annotation-prefixes", "spec-dirs");
  table.reportUnknown();
  return { defaultKind };
}

function parseCsv(table: TableReader): Runtime["modes"]["csv"] {
  const compatRoot = table.path("compat-container-root");
  return {
    mountSpecPath: table.path("mount-spec-path") ?? DEFAULTS.modes.csv.mountSpecPath,
    compatContainerRoot: compatRoot === undefined ? undefined : containerPath(compatRoot),
  };
}

/** Reads the table of the legacy mode. `mount` would mount files of the image: nvoci never does. */
function parseLegacy(report: Report, table: TableReader): Runtime["modes"]["legacy"] {
  const words = ["ldconfig", "mount", "hook", "disabled"] as const;
  const mode = table.oneOf("cuda-compat-mode", words) ?? DEFAULTS.modes.legacy.cudaCompatMode;
  table.reportUnknown();
  if (mode !== "mount") return { cudaCompatMode: mode };
  report(table.replaced("cuda-compat-mode", mode, "ldconfig"));
  return { cudaCompatMode: "ldconfig" };
}
