import type { Platform } from "../discover/detect-platform.ts";
import type { Finding } from "../model/finding.ts";
import { renderFinding } from "./render-finding.ts";
import { renderPlatform } from "./render-info.ts";
import { counted, showPath } from "./text.ts";

/** `fail`: a container that asks for a GPU does not get it. `warn`: some containers, or not all of it. */
type CheckStatus = "ok" | "warn" | "fail";

/** Everything that `nvoci doctor` can have to say, with its arguments. Like findings, without words. */
interface CheckArguments {
  "not-root": Record<string, never>;
  platform: { platform: Platform };
  "driver-loaded": { version: string };
  "driver-missing": Record<string, never>;
  "config-default": Record<string, never>;
  "config-file": { file: string };
  "config-invalid": { message: string };
  /** A finding that has nothing to do with one entry. */
  finding: { finding: Finding };
  manifests: { directory: string; entries: number };
  "manifests-none": { directory: string };
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

/** Builds a result with its arguments checked against its code. */
export const check = <C extends CheckCode>(status: CheckStatus, code: C, args: CheckArguments[C]): Check =>
  ({ code, status, args }) as Check;

/** What was seen, what to do about it, and names for those who want to see all. */
interface Words {
  readonly text: string;
  readonly remedy?: string;
  readonly names?: readonly string[];
}

type Wording = { readonly [C in CheckCode]: (args: CheckArguments[C]) => Words };

const WORDING: Wording = {
  "not-root": () => ({
    text: "not run as root: some of this may look worse than it is",
    remedy: "run it with sudo",
  }),
  platform: ({ platform }) => ({ text: `platform: ${renderPlatform(platform)}` }),
  "driver-loaded": ({ version }) => ({ text: `driver: ${version}` }),
  "driver-missing": () => ({
    text: "driver: the kernel module is not loaded",
    remedy: "install the NVIDIA driver, then: modprobe nvidia",
  }),
  "config-default": () => ({ text: "configuration: built-in defaults, there is no config.toml" }),
  "config-file": ({ file }) => ({ text: `configuration: ${showPath(file)}` }),
  "config-invalid": ({ message }) => ({
    text: `configuration: ${message}`,
    remedy: "correct it: no container with a GPU starts",
  }),
  finding: ({ finding }) => ({ text: renderFinding(finding) }),
  manifests: ({ directory, entries }) => ({
    text: `manifests: ${counted(entries, "entry", "entries")} in ${showPath(directory)}`,
  }),
  "manifests-none": ({ directory }) => ({
    text: `manifests: no entry in ${showPath(directory)}`,
    remedy: "install nvidia-l4t-init (JetPack) or tegra-container-passthrough (meta-tegra)",
  }),
  manifest: ({ file, found, missing }) => ({
    text: `${showPath(file)}: ${found} found, ${missing.length} missing on this host`,
    names: missing.map(showPath),
  }),
  "plan-made": ({ operations }) => ({
    text: `a container that asks for everything gets ${counted(operations, "operation", "operations")}`,
  }),
  "plan-impossible": ({ message }) => ({ text: message }),
  devices: ({ nodes }) => ({ text: `devices: ${counted(nodes.length, "node", "nodes")}`, names: nodes }),
  "devices-none": () => ({
    text: "devices: none was found, so a container has files without a GPU",
    remedy: "see whether the driver's kernel modules are loaded",
  }),
  "devices-closed": ({ count, groups }) => ({
    text: `devices: ${count} of them only for root and group ${groups.join(", ")}; for other users: docker run ${groups.map((group) => `--group-add ${group}`).join(" ")}`,
  }),
  "ldconfig-host": ({ path }) => ({ text: `ldconfig: the host's ${showPath(path)} is run for containers` }),
  "ldconfig-image": ({ path }) => ({
    text: `ldconfig: the host has none that can be used; images with ${showPath(path)} run their own, confined`,
  }),
  "ldconfig-missing": () => ({
    text: "ldconfig: the host has none that can be used; containers get links for the driver's libraries instead",
    remedy:
      "install a static ldconfig, or set features.allow-ldconfig-from-container = true to run the images' own",
  }),
  "ldconfig-none": () => ({
    text: "ldconfig: none is run, by configuration",
    remedy:
      "programs find injected libraries by LD_LIBRARY_PATH alone; remove ldconfig = false to change that",
  }),
  cgroup: ({ version }) => ({ text: `cgroups: version ${version}` }),
  "cgroup-none": () => ({
    text: "cgroups: neither a version 1 devices hierarchy nor version 2 is mounted",
    remedy: "mount one, or set no-cgroups = true in config.toml",
  }),
  kernel: ({ release, missing }) => ({
    text:
      missing.length === 0
        ? `kernel: ${release} has every call that is used`
        : `kernel: ${release} lacks ${missing.join(", ")}; older calls are used in their place`,
  }),
  "runtime-found": ({ path }) => ({ text: `low-level runtime: ${showPath(path)}` }),
  "runtime-missing": ({ names }) => ({
    text: `low-level runtime: none of ${names.join(", ")} was found`,
    remedy: "install runc",
  }),
  "hook-found": ({ path }) => ({ text: `hook: ${showPath(path)}` }),
  "hook-missing": ({ name }) => ({
    text: `hook: there is no ${name} in the usual places, so docker run --gpus is refused`,
    remedy: `make /usr/bin/${name} a link to nvoci`,
  }),
  "docker-absent": () => ({ text: "docker: not installed" }),
  "docker-unreadable": ({ file }) => ({
    text: `docker: ${file} is not valid JSON`,
    remedy: "correct it: dockerd does not start",
  }),
  "docker-runtime": ({ file, path, isDefault }) => ({
    text: `docker: ${file} has the runtime nvidia, ${showPath(path)}${isDefault ? ", as the default" : ""}`,
  }),
  "docker-runtime-unregistered": ({ file }) => ({
    text: `docker: ${file} has no runtime nvidia, so docker run --runtime nvidia is refused`,
    remedy: 'add "runtimes": {"nvidia": {"path": "nvidia-container-runtime"}} and restart docker',
  }),
  "docker-runtime-broken": ({ file, path }) => ({
    text: `docker: ${file} has the runtime nvidia at ${showPath(path)}, where no file is`,
    remedy: "correct the path and restart docker",
  }),
};

const INDENT = "      ";

/** A line with the status in front, what to do below it and, where `verbose` asks for them, the names. */
export function renderCheck({ code, status, args }: Check, verbose: boolean): string[] {
  const { text, remedy, names = [] } = (WORDING[code] as (values: unknown) => Words)(args);
  return [
    `${status.padEnd(4)}  ${text}`,
    ...(remedy === undefined ? [] : [`${INDENT}${remedy}`]),
    ...(verbose ? names.map((name) => `${INDENT}${name}`) : []),
  ];
}

/** The last line: whether a container can have its GPU. */
export function renderHealth(checks: readonly Check[]): string {
  const count = (status: Check["status"]): number => checks.filter((one) => one.status === status).length;
  const failures = count("fail");
  const warnings = counted(count("warn"), "warning", "warnings");
  if (failures === 0) return `healthy: ${counted(checks.length, "check", "checks")}, ${warnings}`;
  return `not healthy: ${counted(failures, "problem", "problems")}, ${warnings}`;
}
