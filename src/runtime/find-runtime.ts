import { DEFAULT_CONFIG } from "../config/config.ts";
import { configPath, MAX_CONFIG_BYTES } from "../config/config-path.ts";
import { readConfigFile } from "../config/load-config.ts";
import { type LoadBundle, loadBundle } from "../load.ts";
import { NvociError } from "../model/errors.ts";
import { type HostPath, hostPath, PROGRAM_DIRECTORIES } from "../model/paths.ts";
import type { HostView } from "../model/views.ts";
import { linuxHost } from "../sys/linux-host.ts";
import { CWD, type Stat, type Syscalls } from "../sys/syscalls.ts";
import { quote } from "../text/quote.ts";
import { decodeUtf8, encodeUtf8 } from "../text/utf8.ts";

/** Size of a pointer in bytes. */
const POINTER = 8;

/** Returns the offset of each argument in a command line, where each argument ends with NUL. */
function argumentStarts(commandLine: Uint8Array): number[] {
  const starts: number[] = [];
  for (let start = 0; start < commandLine.length; start = commandLine.indexOf(0, start) + 1)
    starts.push(start);
  return starts;
}

/**
 * Becomes the low-level runtime: same process, same descriptors, same environment. Arguments keep their bytes, which
 * need not be UTF-8. `argv[0]` is the runtime's own path, by which some runtimes select their mode.
 *
 * @param count the number of arguments at the end of the command line that are the runtime's.
 * @param environAddress the address of the process' own environment.
 * @throws {NvociError} "operation-failed" when /proc is not mounted.
 * @throws {SystemError} when the program cannot be run.
 */
export function becomeRuntime(
  system: Syscalls,
  runtime: HostPath,
  count: number,
  environAddress: number,
): never {
  const commandLine = linuxHost(system).readFile(hostPath("/proc/self/cmdline"));
  if (commandLine === undefined) {
    throw new NvociError("operation-failed", 'Cannot read "/proc/self/cmdline": /proc is not mounted');
  }
  const starts = count === 0 ? [] : argumentStarts(commandLine).slice(-count);
  const name = encodeUtf8(`${runtime}\0`);
  const base = system.address(commandLine);
  const addresses = [system.address(name), ...starts.map((start) => base + start), 0];
  const argv = new Uint8Array(addresses.length * POINTER);
  const view = new DataView(argv.buffer);
  addresses.forEach((address, index) => {
    view.setBigUint64(index * POINTER, BigInt(address), true);
  });
  return system.execve(runtime, argv, environAddress);
}

/** Matches the key, however it is written: its name is in a line before any comment. */
const MENTIONED = /^[^#\n]*runtimes/m;

/**
 * Returns the low-level runtimes that config.toml names. Ignores the rest of the file, because a mistake in it must not
 * prevent a container from being stopped. The parser is loaded only for a file that mentions the key.
 *
 * @param load loads the parser.
 * @throws {NvociError} "config-invalid" when the file cannot be parsed, or is named but does not exist.
 */
export function configuredRuntimes(
  host: HostView,
  environ: readonly string[],
  load: LoadBundle = loadBundle,
): readonly string[] {
  const { path, mustExist } = configPath(environ, undefined);
  const bytes = readConfigFile(host, path, MAX_CONFIG_BYTES);
  const text = bytes === undefined ? (mustExist ? undefined : "") : decodeUtf8(bytes);
  if (text !== undefined && !MENTIONED.test(text)) return DEFAULT_CONFIG.nvidiaContainerRuntime.runtimes;
  return load<typeof import("./runtimes-of-config.ts")>("runtimes").runtimesOfConfig(bytes, path);
}

const isSame = (a: Stat, b: Stat): boolean => a.device === b.device && a.inode === b.inode;

/** Returns the possible absolute paths of a runtime that config.toml names, in the order of the search. */
function candidates(runtime: string, path: string): readonly HostPath[] {
  if (runtime.startsWith("/")) return [hostPath(runtime)];
  // Not relative directories: the current directory may be a bundle, which would choose the program.
  const named = path.split(":").filter((directory) => directory.startsWith("/"));
  return [...new Set([...named, ...PROGRAM_DIRECTORIES])].map((directory) =>
    hostPath(`${directory}/${runtime}`),
  );
}

/**
 * Finds the low-level runtime: the first candidate that is executable and is not nvoci itself under another name.
 *
 * @param runtimes absolute paths, or names to search for in PATH and then in the usual directories.
 * @param path the value of PATH.
 * @param own paths of this program, links included. Paths that do not exist are ignored.
 * @throws {NvociError} "runtime-missing" when there is none.
 */
export function findRuntime(
  system: Syscalls,
  runtimes: readonly string[],
  path: string,
  own: readonly string[],
): HostPath {
  let passedOver = "";
  let self: readonly Stat[] | undefined;
  for (const runtime of runtimes) {
    for (const candidate of candidates(runtime, path)) {
      const stat = system.statx(CWD, candidate, 0);
      if (stat?.type !== "file" || (stat.mode & 0o111) === 0) continue;
      self ??= own.flatMap((name) => system.statx(CWD, name, 0) ?? []);
      if (!self.some((one) => isSame(one, stat))) return candidate;
      passedOver = `; ${quote(candidate)} is nvoci itself`;
    }
  }
  const names = runtimes.map((runtime) => quote(runtime)).join(" or ");
  throw new NvociError("runtime-missing", `Cannot find the low-level runtime ${names}${passedOver}`, {
    hint: "install runc, or name the runtime in config.toml: nvidia-container-runtime.runtimes",
  });
}
