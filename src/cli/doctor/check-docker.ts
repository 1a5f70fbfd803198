import { type Check, check } from "../../model/check.ts";
import { isPlainObject, type PlainObject } from "../../model/object-reader.ts";
import { PROGRAM_DIRECTORIES } from "../../model/paths.ts";
import { type Docker, readDocker } from "./docker-daemon.ts";
import type { HostFacts } from "./host-facts.ts";
import { isSince } from "./processes.ts";
import { findProgram, isNvoci } from "./programs.ts";

/** The name that dockerd looks for, once, when it starts. It serves `docker run --gpus`. */
const HOOK_NAME = "nvidia-container-runtime-hook";

const RUNTIME = "nvidia";

/** Names that dockerd itself defines. Others of its own, such as those of containerd's shims, contain a dot. */
const BUILT_IN = ["runc", "io.containerd.runc.v2", "io.containerd.runtime.v1.linux"];

/** Returns the runtimes of daemon.json or of the daemon's answer, by name. */
function runtimesOf(all: unknown): ReadonlyMap<string, PlainObject> {
  const entries = isPlainObject(all) ? Object.entries(all) : [];
  return new Map(entries.map(([name, value]) => [name, isPlainObject(value) ? value : {}]));
}

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

/**
 * Checks what Docker does with containers that request GPUs: by the daemon's own answer, and by its configuration file
 * where it does not answer. There are two ways to a GPU, `--runtime nvidia` and `--gpus`; when neither works, what is
 * wrong with them is a failure.
 */
export function checkDocker(facts: HostFacts): readonly Check[] {
  const docker = readDocker(facts);
  if (docker === undefined) return [];
  const { file, configured } = docker;
  if (typeof configured.fault === "string") {
    return [check("fail", "docker-file-invalid", { file, reason: configured.fault })];
  }
  const runtime = checkRuntime(facts, docker);
  const hook = checkHook(facts, docker);
  const works = (checks: readonly Check[]): boolean => checks.every(({ status }) => status === "ok");
  const hasWay = works(runtime) || works(hook);
  const raised = [...runtime, ...hook].map((one) =>
    one.status === "warn" && !hasWay ? ({ ...one, status: "fail" } as Check) : one,
  );
  return [
    ...checkDefault(facts, docker),
    ...raised,
    // Containers of the wrapper keep their devices.
    ...(works(hook) && !works(runtime) && docker.info?.CgroupDriver === "systemd"
      ? [check("warn", "docker-cgroup-systemd", {})]
      : []),
  ];
}

/** Checks the runtime `nvidia`, which `docker run --runtime nvidia` names. */
function checkRuntime({ host }: HostFacts, docker: Docker): readonly Check[] {
  const { file, options, restart, configured, info } = docker;
  const inFile = runtimesOf((configured as PlainObject).runtimes).get(RUNTIME);
  const inDaemon = info === undefined ? inFile : runtimesOf(info.Runtimes).get(RUNTIME);
  const args = { file, options, restart };
  const isDefault = defaultOf(docker) === RUNTIME;
  if (inDaemon === undefined) {
    return inFile === undefined
      ? [check("warn", "docker-runtime-unregistered", args)]
      : [check("warn", "docker-runtime-unloaded", { file })];
  }
  const path = text(inDaemon.path);
  if (path === undefined) return [check("warn", "docker-runtime-unregistered", args)];
  const program = findProgram(host, path, searchPath(docker));
  if (program === undefined) {
    return [check(isDefault ? "fail" : "warn", "docker-runtime-broken", { ...args, path })];
  }
  if (!isNvoci(host, program)) return [check("warn", "docker-runtime-foreign", { ...args, path: program })];
  // Another program or default in the file takes effect when dockerd reads it.
  const named = text((configured as PlainObject)["default-runtime"]);
  const isOther = inFile !== undefined && inFile.path !== inDaemon.path;
  const hasOtherDefault = info !== undefined && named !== undefined && named !== info.DefaultRuntime;
  if (isOther || hasOtherDefault) return [check("warn", "docker-runtime-unloaded", { file })];
  return [check("ok", "docker-runtime", { file, path, isDefault, isAsked: info !== undefined })];
}

const searchPath = ({ running }: Docker): readonly string[] =>
  running?.path?.split(":").filter((directory) => directory.startsWith("/")) ?? PROGRAM_DIRECTORIES;

const defaultOf = ({ configured, info }: Docker): string | undefined =>
  text(info?.DefaultRuntime) ?? text((configured as PlainObject)["default-runtime"]);

/** Checks the default runtime: whether dockerd starts with it, and whether `docker build` on a board gets the driver. */
function checkDefault({ report }: HostFacts, docker: Docker): readonly Check[] {
  const { file, configured, options, restart, info } = docker;
  const root = configured as PlainObject;
  const name = text(root["default-runtime"]);
  const isKnown = name === undefined || BUILT_IN.includes(name) || runtimesOf(root.runtimes).has(name);
  if (!isKnown && !name.includes(".")) return [check("fail", "docker-default-unknown", { file, name })];
  if (report.platform.kind !== "tegra") return [];
  return defaultOf(docker) === RUNTIME
    ? [check("ok", "docker-builds", { version: text(info?.ServerVersion) })]
    : [check("warn", "docker-not-default", { options, restart })];
}

/** Checks the hook, which `docker run --gpus` needs. */
function checkHook(facts: HostFacts, docker: Docker): readonly Check[] {
  const { host, changed, self } = facts;
  const { running, restart } = docker;
  const path = findProgram(host, HOOK_NAME, searchPath(docker));
  if (path === undefined)
    return [check("warn", "hook-missing", { path: `/usr/bin/${HOOK_NAME}`, program: self })];
  if (!isNvoci(host, path)) {
    return [check("warn", "hook-foreign", { path, real: host.realPath(path) ?? path, program: self })];
  }
  const since = changed(path);
  if (running !== undefined && since !== undefined && isSince(running, since)) {
    return [check("warn", "docker-hook-unseen", { path, restart })];
  }
  return [check("ok", "hook-found", { path })];
}
