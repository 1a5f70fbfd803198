/** One failure at one place. */
interface Fault {
  /** Name of the system call, as strace(1) knows it. */
  readonly call: string;
  /** Which call of that name in a process fails; the first is 1. */
  readonly when: number;
  /** Name of the errno. Default EPERM. */
  readonly error?: string;
}

/**
 * A command line whose n-th call of a name fails, in each of its processes. The call is not made.
 *
 * @param log file that gets strace's lines for that call and for the end of each process, all with the process' id in
 * front: a line with `(INJECTED)` tells that the fault happened.
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
