import type { Platform } from "../discover/detect-platform.ts";
import type { Finding } from "../model/finding.ts";
import { renderFinding } from "./render-finding.ts";
import { renderPlatform } from "./render-info.ts";
import { counted, showPath } from "./text.ts";

/** `fail`: no container that requests a GPU gets it. `warn`: some do not, or not completely. */
type CheckStatus = "ok" | "warn" | "fail";

/**
 * Every result that `nvoci doctor` can report, with its arguments. Like findings, results are data without text.
 */
interface CheckArguments {
  "not-root": Record<string, never>;
  platform: { platform: Platform };
  "driver-loaded": { version: string };
  "driver-missing": Record<string, never>;
  "config-default": Record<string, never>;
  "config-file": { file: string };
  "config-invalid": { message: string };
  /** A finding that is not about a single entry. */
  finding: { finding: Finding };
  manifests: { directory: string; entries: number };
  /** `major` is that of L4T; `undefined` when unknown. */
  "manifests-none": { directory: string; major: number | undefined };
  manifest: { file: string; found: number; missing: readonly string[] };
  "plan-made": { operations: number };
  "plan-impossible": { message: string };
  devices: { nodes: readonly string[] };
  "devices-none": Record<string, never>;
  "devices-closed": { count: number; groups: readonly number[] };
  "ldconfig-host": { path: string };
  "ldconfig-image": { path: string };
  "ldconfig-none": Record<string, never>;
  "ldconfig-missing": Record<string, never>;
  cgroup: { version: 1 | 2 };
  "cgroup-none": Record<string, never>;
  kernel: { release: string; missing: readonly string[] };
  "runtime-found": { path: string };
  "runtime-missing": { names: readonly string[] };
  "hook-found": { path: string };
  "hook-missing": { name: string };
  "docker-absent": Record<string, never>;
  "docker-unreadable": { file: string };
  "docker-runtime": { file: string; path: string; isDefault: boolean };
  "docker-runtime-unregistered": { file: string };
  "docker-runtime-broken": { file: string; path: string };
}

type CheckCode = keyof CheckArguments;

/** One result of a check. */
export type Check = {
  [C in CheckCode]: {
    readonly code: C;
    readonly status: CheckStatus;
    readonly args: CheckArguments[C];
  };
}[CheckCode];

/** Builds a result. The compiler checks the arguments against the code. */
export const check = <C extends CheckCode>(status: CheckStatus, code: C, args: CheckArguments[C]): Check =>
  ({ code, status, args }) as Check;

/** What the check saw, what to do about it, and the names that `--verbose` adds. */
interface Words {
  readonly text: string;
  readonly remedy?: string;
  readonly names?: readonly string[];
}

type Wording = { readonly [C in CheckCode]: (args: CheckArguments[C]) => Words };

const WORDING: Wording = {
  "not-root": () => ({
    text: "not running as root: some checks may fail only for that reason",
    remedy: "run: sudo nvoci doctor",
  }),
  platform: ({ platform }) => ({ text: `platform: ${renderPlatform(platform)}` }),
  "driver-loaded": ({ version }) => ({ text: `driver: ${version}` }),
  "driver-missing": () => ({
    text: "driver: the kernel module is not loaded",
    remedy: "install the NVIDIA driver, then run: nvoci system create-device-nodes",
  }),
  "config-default": () => ({ text: "configuration: built-in defaults (no config.toml)" }),
  "config-file": ({ file }) => ({ text: `configuration: ${showPath(file)}` }),
  "config-invalid": ({ message }) => ({
    text: `configuration: ${message}`,
    remedy: "fix it: until then no container that requests GPUs starts",
  }),
  finding: ({ finding }) => ({ text: renderFinding(finding) }),
  manifests: ({ directory, entries }) => ({
    text: `manifests: ${counted(entries, "entry", "entries")} in ${showPath(directory)}`,
  }),
  "manifests-none": ({ directory, major }) => ({
    text: `manifests: no entries in ${showPath(directory)}`,
    // meta-tegra's recipes for L4T 32 have them in the stack that nvoci replaces.
    remedy: `install nvidia-l4t-init (JetPack) or ${major === 32 ? "nvoci-l4t32-csv" : "tegra-configs-container-csv"} (meta-tegra)`,
  }),
  manifest: ({ file, found, missing }) => ({
    text: `${showPath(file)}: ${found} found, ${missing.length} missing on this host`,
    names: missing.map(showPath),
  }),
  "plan-made": ({ operations }) => ({
    text: `plan: ${counted(operations, "operation", "operations")} for a container that requests everything`,
  }),
  "plan-impossible": ({ message }) => ({ text: message }),
  devices: ({ nodes }) => ({ text: `devices: ${counted(nodes.length, "node", "nodes")}`, names: nodes }),
  "devices-none": () => ({
    text: "devices: none found, so containers get the driver's files but no GPU",
    remedy:
      "check that the driver's kernel modules are loaded; on a server, run: nvoci system create-device-nodes",
  }),
  "devices-closed": ({ count, groups }) => ({
    text: `devices: only root and group ${groups.join(", ")} can open ${count} of them; for other users, run: docker run ${groups.map((group) => `--group-add ${group}`).join(" ")}`,
  }),
  "ldconfig-host": ({ path }) => ({ text: `ldconfig: the host's ${showPath(path)}` }),
  "ldconfig-image": ({ path }) => ({
    text: `ldconfig: the host has no usable one; images that have ${showPath(path)} run their own in a sandbox`,
  }),
  "ldconfig-missing": () => ({
    text: "ldconfig: the host has no usable one; containers get links for the driver's libraries instead",
    remedy:
      "install a static ldconfig, or set features.allow-ldconfig-from-container = true in config.toml to run the images' own",
  }),
  "ldconfig-none": () => ({
    text: "ldconfig: disabled in config.toml, so programs find the driver's libraries only with LD_LIBRARY_PATH",
    remedy: "remove ldconfig = false from config.toml",
  }),
  cgroup: ({ version }) => ({ text: `cgroups: version ${version}` }),
  "cgroup-none": () => ({
    text: "cgroups: neither version 2 nor a version 1 devices hierarchy is mounted",
    remedy: "mount one of them, or set no-cgroups = true in config.toml",
  }),
  kernel: ({ release, missing }) => ({
    text:
      missing.length === 0
        ? `kernel: ${release} has every system call that nvoci uses`
        : `kernel: ${release} lacks ${missing.join(", ")}; nvoci uses older system calls instead`,
  }),
  "runtime-found": ({ path }) => ({ text: `low-level runtime: ${showPath(path)}` }),
  "runtime-missing": ({ names }) => ({
    text: `low-level runtime: none found; looked for ${names.join(", ")}`,
    remedy: "install runc",
  }),
  "hook-found": ({ path }) => ({ text: `hook: ${showPath(path)}` }),
  "hook-missing": ({ name }) => ({
    text: `hook: ${name} not found, so docker run --gpus fails`,
    remedy: `run: ln -s "$(command -v nvoci)" /usr/bin/${name}`,
  }),
  "docker-absent": () => ({ text: "docker: not installed" }),
  "docker-unreadable": ({ file }) => ({
    text: `docker: ${file} is not valid JSON`,
    remedy: "fix it: until then dockerd does not start",
  }),
  "docker-runtime": ({ file, path, isDefault }) => ({
    text: `docker: ${file} registers the runtime nvidia as ${showPath(path)}${isDefault ? ", the default" : ""}`,
  }),
  "docker-runtime-unregistered": ({ file }) => ({
    text: `docker: the runtime nvidia is not registered in ${file}, so docker run --runtime nvidia fails`,
    remedy: "run: nvoci configure docker",
  }),
  "docker-runtime-broken": ({ file, path }) => ({
    text: `docker: ${file} registers the runtime nvidia as ${showPath(path)}, which does not exist`,
    remedy: "run: nvoci configure docker",
  }),
};

const INDENT = "      ";

/** Returns the lines of a result: status and text, then the remedy and, if `verbose`, the names, indented. */
export function renderCheck({ code, status, args }: Check, verbose: boolean): string[] {
  const { text, remedy, names = [] } = (WORDING[code] as (values: unknown) => Words)(args);
  return [
    `${status.padEnd(4)}  ${text}`,
    ...(remedy === undefined ? [] : [`${INDENT}${remedy}`]),
    ...(verbose ? names.map((name) => `${INDENT}${name}`) : []),
  ];
}

/** Returns the last line: whether containers can get their GPUs. */
export function renderHealth(checks: readonly Check[]): string {
  const count = (status: Check["status"]): number => checks.filter((one) => one.status === status).length;
  const failures = count("fail");
  const warnings = counted(count("warn"), "warning", "warnings");
  if (failures === 0) return `healthy: ${counted(checks.length, "check", "checks")}, ${warnings}`;
  return `not healthy: ${counted(failures, "problem", "problems")}, ${warnings}`;
}
