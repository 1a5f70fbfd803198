/**
 * What the C page offers to TypeScript, and all that it offers. Two engines implement it from one C file:
 * QuickJS compiled into the native binary, and Node.js through an addon. `linux.ts` is the only module that
 * may use it.
 */

import type { Arch } from "../model/machine.ts";

/**
 * An argument of a raw system call: an integer, a string (passed as NUL-terminated UTF-8; one that contains
 * NUL is refused), a byte array (passed by address) or `null` (the null pointer).
 */
export type SyscallArgument = number | bigint | string | Uint8Array | null;

export interface Primitives {
  /** Number of the machine type, which decides the table of system-call numbers. */
  readonly arch: Arch;
  /** The command line, `argv[0]` first. Bytes that are no UTF-8 appear as U+FFFD. */
  readonly argv: readonly string[];
  /** The environment as `NAME=value`. Bytes that are no UTF-8 appear as U+FFFD. */
  readonly environ: readonly string[];
  /** The absolute path of what starts this program, where that is not `/proc/self/exe`: a script around it. */
  readonly program?: string;
  /** Address of the process' own `argv` array, for an execve(2) that hands it on untouched; 0 when not known. */
  readonly argvAddress: number;
  /** Address of the process' own `environ` array. */
  readonly environAddress: number;

  /**
   * Makes one system call.
   *
   * @returns the result, or `-errno`. Never throws for a failed call.
   * @throws TypeError for an argument of another type or a string with NUL in it: nothing has been called then.
   * @see syscall(2)
   */
  syscall(number: number, ...args: readonly SyscallArgument[]): number;

  /** The address of the array's first byte. It stays valid while the array is reachable. */
  address(bytes: Uint8Array): number;

  /**
   * Starts a child that makes a prepared list of system calls and nothing else.
   *
   * A step is eight little-endian 64-bit integers: the call's number, six arguments, and the errno to ignore
   * (0: none, -1: any). On the first failure that is not ignored the child writes two 32-bit integers, the step's
   * index and the errno, to `reportFd` and exits with 127; a successful execve(2) ends the list; a list that runs
   * out ends in exit status 0.
   *
   * @param cloneFlags CLONE_NEW… flags for clone(2); SIGCHLD is added. No memory is shared.
   * @param steps the records, 64 bytes each; what they point to must be reachable until the call returns.
   * @param reportFd a close-on-exec descriptor, usually the writing end of a pipe.
   * @returns the child's pid, or `-errno` of clone(2).
   */
  spawn(cloneFlags: number, steps: Uint8Array, reportFd: number): number;

  /** Decodes UTF-8; malformed sequences become U+FFFD. `end` is exclusive. */
  decode(bytes: Uint8Array, start: number, end: number): string;
}
