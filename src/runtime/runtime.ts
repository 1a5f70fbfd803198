import { decodeText, mayRequestGpusSurely } from "../hook/read-spec.ts";
import { readSpecFile } from "../hook/read-spec-file.ts";
import { loadBundle } from "../load.ts";
import { type HostPath, hostPath, join } from "../model/paths.ts";
import { parseSpec } from "../oci/spec.ts";
import { linuxHost } from "../sys/linux-host.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { becomeRuntime, configuredRuntimes, findRuntime } from "./find-runtime.ts";
import { parseRuntimeArguments, type RuntimeArguments } from "./parse-runtime-arguments.ts";
import { logRuntimeError } from "./runtime-log.ts";

/** How the wrapper was called. */
export interface RuntimeCall {
  /** The name it was called by. */
  readonly name: string;
  /** The arguments after the name, for the runtime. */
  readonly args: readonly string[];
  readonly environ: readonly string[];
  readonly environAddress: number;
  /** A path of this program, which may be a link. */
  readonly self: HostPath;
}

const pathOf = (environ: readonly string[]): string =>
  environ.find((entry) => entry.startsWith("PATH="))?.slice("PATH=".length) ?? "";

/** Makes a path of the command line absolute, relative to the current directory. */
function absolute(system: Syscalls, path: string): HostPath {
  const directory = path.startsWith("/") ? "/" : linuxHost(system).readLink(hostPath("/proc/self/cwd"));
  return join(directory ?? "/", path) as HostPath;
}

/** Edits a bundle when its container requests GPUs. The runtime reports a missing config.json. */
function prepareBundle(system: Syscalls, args: RuntimeArguments, call: RuntimeCall): void {
  const bundle = absolute(system, args.bundle ?? ".");
  const file = args.config === undefined ? join(bundle, "config.json") : absolute(system, args.config);
  const bytes = readSpecFile(linuxHost(system), file as HostPath);
  if (bytes === undefined || bytes === "asks-nothing") return;
  const text = decodeText(bytes, file);
  const spec = parseSpec(text, bundle);
  if (!mayRequestGpusSurely({ text, spec }, bundle as HostPath)) return;
  loadBundle<typeof import("./edit-bundle.ts")>("wrapper").editBundle(system, {
    file: file as HostPath,
    text,
    spec,
    id: args.id,
    systemdCgroup: args.systemdCgroup,
    environ: call.environ,
    self: call.self,
  });
}

/**
 * Runs as a low-level runtime. When the command creates a container, edits its bundle to meet its request. Then becomes
 * the real runtime with the same arguments. After an error, the runtime is not started and config.json is unchanged.
 *
 * @throws {NvociError} when the request cannot be met or no runtime is found. The error is then in the runtime's log.
 */
export function runtime(system: Syscalls, call: RuntimeCall): never {
  const args = parseRuntimeArguments(call.args);
  try {
    const own = [call.self, ...(call.name.includes("/") ? [call.name] : [])];
    const runtimes = configuredRuntimes(linuxHost(system), call.environ);
    const found = findRuntime(system, runtimes, pathOf(call.environ), own);
    if (args.creates) prepareBundle(system, args, call);
    return becomeRuntime(system, found, call.args.length, call.environAddress);
  } catch (error) {
    logRuntimeError(system, args, error);
    throw error;
  }
}
