/** A failure of one system call. */
interface Fault {
  /** Name of the system call in strace(1). */
  readonly call: string;
  /** Which call of that name in a process fails, counted from 1. */
  readonly when: number;
  /** Name of the errno. Default EPERM. */
  readonly error?: string;
}

/**
 * Returns a command line whose n-th call of a name fails, in each of its processes. The call is not made.
 *
 * @param log file for strace's lines about that call and the end of each process, which start with the process
 * id. A line with `(INJECTED)` proves that the fault occurred.
 * @see strace(1), "Tampering"
 */
export function withFault(fault: Fault, command: readonly string[], log = "/dev/null"): string[] {
  const { call, when, error = "EPERM" } = fault;
  const tampering = `inject=${call}:error=${error}:when=${when}`;
  return [
    "/usr/bin/strace",
    "-f",
    "-qq",
    "-o",
    log,
    "-e",
    `trace=${call},exit_group`,
    "-e",
    tampering,
    ...command,
  ];
}
