import { NvociError } from "../model/errors.ts";
import { type HostPath, hostPath } from "../model/paths.ts";
import { encodeUtf8 } from "../model/utf8.ts";
import { linuxHost } from "../sys/linux-host.ts";
import type { Syscalls } from "../sys/syscalls.ts";

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
