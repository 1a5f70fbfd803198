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

/** Bytes of a pointer. */
const POINTER = 8;

/** Where each argument of this process begins in its command line, which holds each with a NUL after it. */
function argumentStarts(commandLine: Uint8Array): number[] {
  const starts: number[] = [];
  for (let start = 0; start < commandLine.length; start = commandLine.indexOf(0, start) + 1)
    starts.push(start);
  return starts;
}

/**
 * Becomes the low-level runtime: same process, same descriptors, same environment. Arguments keep their bytes, which
 * need not be UTF-8; the program's name is the runtime's own path, by which some runtimes tell what they are.
 *
 * @param count how many arguments at the end of the command line are the runtime's.
 * @param environAddress of the process' own environment.
 * @throws SystemError when the program cannot be run.
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

/** However the key is written, its name stands in a line before any comment. */
const MENTIONED = /^[^#\n]*runtimes/m;

/** Real files have less than 4 KiB. */

/**
 * The low-level runtimes that config.toml names. Nothing else of the file is looked at: a mistake elsewhere in it must
 * not keep a container from being stopped. The parser is loaded only for a file that mentions the key.
 *
 * @param load how the parser is reached.
 * @throws NvociError "config-invalid"
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

/** Absolute paths of a runtime that config.toml names, in the order in which they are tried. */
function candidates(runtime: string, path: string): readonly HostPath[] {
  if (runtime.startsWith("/")) return [hostPath(runtime)];
  // A relative directory would let the current one, which may be a bundle, choose the program.
  const named = path.split(":").filter((directory) => directory.startsWith("/"));
  return [...new Set([...named, ...PROGRAM_DIRECTORIES])].map((directory) =>
    hostPath(`${directory}/${runtime}`),
  );
}

/**
 * Finds the low-level runtime: the first of the given ones that can be run and is not nvoci itself, whatever name
 * nvoci goes by there.
 *
 * @param runtimes absolute paths, or names that are searched in PATH and then in the usual directories.
 * @param path the value of PATH.
 * @param own paths of this program, links included; those that do not exist are passed over.
 * @throws NvociError "runtime-missing"
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
