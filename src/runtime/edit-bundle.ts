import { configPath } from "../config/config-path.ts";
import { loadConfig } from "../config/load-config.ts";
import { discoverDevices } from "../discover/discover.ts";
import { newLog } from "../hook/log.ts";
import { linkByNumber } from "../host-setup/make-nodes.ts";
import { prepareHost } from "../host-setup/prepare-host.ts";
import { NvociError } from "../model/errors.ts";
import { machineOf } from "../model/machine.ts";
import { basename, type HostPath, hostPath, PROGRAM_DIRECTORIES } from "../model/paths.ts";
import type { Spec } from "../oci/spec.ts";
import { HOOK_NAMES } from "../oci/state.ts";
import { resolveRequest } from "../request/resolve-request.ts";
import { linuxHost } from "../sys/linux-host.ts";
import { replaceFile } from "../sys/replace-file.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { quote } from "../text/quote.ts";
import { encodeUtf8 } from "../text/utf8.ts";
import { editSpec, type HookEntry } from "./edit-spec.ts";

/** A bundle whose container may be asking. */
export interface AskingBundle {
  /** config.json. */
  readonly file: HostPath;
  readonly text: string;
  readonly spec: Spec;
  /** The container's name, for the log. */
  readonly id: string;
  /** Whether systemd decides over the container's devices. */
  readonly systemdCgroup: boolean;
  /** The wrapper's own environment. */
  readonly environ: readonly string[];
  /** A name of this program, which may be a link. */
  readonly self: HostPath;
}

/** The hook's whole environment: without one it would run in the wrapper's, or in the image's. */
const HOOK_ENVIRONMENT = [`PATH=${PROGRAM_DIRECTORIES.join(":")}`];

const USUAL_CONFIG = configPath([], undefined).path;

/** Options that make the hook read the configuration that the wrapper has read, though its environment is another. */
function configOption(file: HostPath | undefined): readonly string[] {
  return file === undefined || file === USUAL_CONFIG ? [] : ["-config", file];
}

/**
 * The hook as config.json is to have it.
 *
 * @param configured an absolute path, or a name for this program itself.
 * @throws NvociError "config-invalid" when there is no such program: the runtime's own words would not name the key.
 */
function hookEntry(
  system: Syscalls,
  configured: string,
  program: HostPath,
  options: readonly string[],
): HookEntry {
  if (!configured.startsWith("/")) {
    return { path: program, args: ["nvoci", "hook", ...options, "prestart"], env: HOOK_ENVIRONMENT };
  }
  const path = hostPath(configured);
  const found = linuxHost(system).realPath(path);
  if (found === undefined) {
    const reason = "there is no such program (config.toml: nvidia-container-runtime-hook.path)";
    throw new NvociError("config-invalid", `Cannot use the hook ${quote(path, 4096)}: ${reason}`);
  }
  const isNvoci = found === program && !HOOK_NAMES.includes(basename(path));
  const args = [basename(path), ...(isNvoci ? ["hook"] : []), ...options, "prestart"];
  return { path, args, env: HOOK_ENVIRONMENT };
}

/** Writes a new text in the file's place; a symbolic link stays one. */
function writeSpec(system: Syscalls, file: HostPath, text: string): void {
  const path = linuxHost(system).realPath(file) ?? file;
  replaceFile(system, path, encodeUtf8(text), { synced: false });
}

/**
 * Puts into a bundle's config.json what its container asks for: device nodes and access to them, which the runtime
 * and systemd then own, and the hook for everything else. A container that may not have what it asks for leaves the
 * file as it is.
 *
 * @throws NvociError when the container cannot have it; the file is as it was.
 */
export function editBundle(system: Syscalls, bundle: AskingBundle): void {
  const { file, text, spec, environ } = bundle;
  // A config.json that cannot be written is an error, and not the end of the runtime that engines wait for.
  system.ignoreWriteSignals();
  const host = linuxHost(system);
  const log = newLog(system, bundle.id.slice(0, 12), false);
  const { report } = log;
  const loaded = loadConfig(host, environ, undefined, spec.env, report);
  const { config } = loaded;
  log.open(config.nvidiaContainerRuntime.debug, config.nvidiaContainerRuntime.logLevel);
  const request = resolveRequest(spec, config, report);
  if (request === undefined) return;
  prepareHost(system, host, config, request, report);
  const givenDevices = new Set<string>(spec.devices.map((device) => device.path));
  const machine = machineOf(system.arch);
  const deviceNodes = discoverDevices({ host, machine, config, request, givenDevices }, report);
  const hook = hookEntry(
    system,
    config.nvidiaContainerRuntimeHook.path,
    host.realPath(bundle.self) ?? bundle.self,
    configOption(loaded.file),
  );
  const additions = {
    deviceNodes,
    cgroups: !config.nvidiaContainerCli.noCgroups,
    hook,
  };
  const edited = editSpec({ name: file, code: "spec-invalid", text }, spec, additions);
  if (bundle.systemdCgroup && config.nvidiaContainerCli.loadKmods && additions.cgroups) {
    linkByNumber(system, host, deviceNodes, report);
  }
  if (edited.text === text) return;
  writeSpec(system, file, edited.text);
  log.info(`gave ${deviceNodes.length} devices to the runtime, and the rest to the hook`);
}
