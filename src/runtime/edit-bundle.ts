import { configPath } from "../config/config-path.ts";
import { loadConfig } from "../config/load-config.ts";
import { discoverDevices } from "../discover/discover.ts";
import { type Log, newLog } from "../hook/log.ts";
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

/** A bundle whose container may request GPUs. */
export interface RequestingBundle {
  /** config.json. */
  readonly file: HostPath;
  readonly text: string;
  readonly spec: Spec;
  /** The container's id, for the log. */
  readonly id: string;
  /** Whether systemd controls the container's access to devices. */
  readonly systemdCgroup: boolean;
  /** The wrapper's own environment. */
  readonly environ: readonly string[];
  /** A path of this program, which may be a link. */
  readonly self: HostPath;
}

/** The hook's complete environment. Without it, the hook would inherit the wrapper's or the image's. */
const HOOK_ENVIRONMENT = [`PATH=${PROGRAM_DIRECTORIES.join(":")}`];

const USUAL_CONFIG = configPath([], undefined).path;

/** Returns the options that make the hook read the wrapper's configuration, despite its different environment. */
function configOption(file: HostPath | undefined): readonly string[] {
  return file === undefined || file === USUAL_CONFIG ? [] : ["-config", file];
}

/**
 * Returns the hook's entry for config.json.
 *
 * @param configured an absolute path, or a name, which means this program.
 * @throws {NvociError} "config-invalid" when the program does not exist. The runtime's error would not name the key.
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
    const reason = "the program does not exist (config.toml: nvidia-container-runtime-hook.path)";
    throw new NvociError("config-invalid", `Cannot use the hook ${quote(path, 4096)}: ${reason}`);
  }
  const isNvoci = found === program && !HOOK_NAMES.includes(basename(path));
  const args = [basename(path), ...(isNvoci ? ["hook"] : []), ...options, "prestart"];
  return { path, args, env: HOOK_ENVIRONMENT };
}

/** Replaces a file's text. A symbolic link is kept; its target is replaced. */
function writeSpec(system: Syscalls, file: HostPath, text: string): void {
  const path = linuxHost(system).realPath(file) ?? file;
  replaceFile(system, path, encodeUtf8(text), { synced: false });
}

/**
 * Adds what a container requests to its bundle's config.json: device nodes and access to them, which the runtime and
 * systemd then manage, and the hook for everything else. Leaves the file unchanged when the configuration does not
 * allow the request.
 *
 * @throws {NvociError} when the request cannot be met. The file is unchanged then.
 */
export function editBundle(system: Syscalls, bundle: RequestingBundle): void {
  // A failed write must be an error that the container engine sees, not the death of the process by a signal.
  system.ignoreWriteSignals();
  const log = newLog(system, bundle.id.slice(0, 12), false);
  try {
    edit(system, bundle, log);
  } catch (error) {
    if (error instanceof NvociError) log.error(error);
    throw error;
  }
}

function edit(system: Syscalls, bundle: RequestingBundle, log: Log): void {
  const { file, text, spec, environ } = bundle;
  const { report } = log;
  const host = linuxHost(system);
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
    groups: !config.features.noAdditionalGidsForDeviceNodes,
    hook,
  };
  const edited = editSpec({ name: file, code: "spec-invalid", text }, spec, additions);
  if (bundle.systemdCgroup && config.nvidiaContainerCli.loadKmods && additions.cgroups) {
    linkByNumber(system, host, deviceNodes, report);
  }
  if (edited.text === text) return;
  writeSpec(system, file, edited.text);
  log.info(`assigned ${deviceNodes.length} devices to the runtime and the rest to the hook`);
}
