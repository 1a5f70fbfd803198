import { RLIMIT_NOFILE } from "../sys/constants.ts";
import type { Syscalls } from "../sys/syscalls.ts";

/**
 * Lets the process have as many files open as it may: every directory that is injected into stays open, and a
 * service is started with a limit of 1024.
 *
 * @see getrlimit(2), RLIMIT_NOFILE
 */
export function allowOpenFiles(system: Syscalls): void {
  system.prlimit64(RLIMIT_NOFILE, system.getrlimit(RLIMIT_NOFILE));
}
