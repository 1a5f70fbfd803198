/**
 * What the C code offers to TypeScript: one page of primitives (`native/primitives.c`), and an adapter for each
 * JavaScript engine: QuickJS in the native binary (`native/quickjs-engine.c`), and Node.js through an addon
 * (`native/node-addon.c`). Only `linux.ts` uses it, and `node.ts` before the program starts.
 */

import type { Arch } from "../model/machine.ts";

/**
 * An argument of a raw system call: an integer, a string (passed as NUL-terminated UTF-8; a string that contains NUL
 * is refused), a byte array (passed by address) or `null` (the null pointer).
 */
export type SyscallArgument = number | bigint | string | Uint8Array | null;

/** The primitives of a JavaScript engine. */
export interface Primitives {
  /** Machine type, which selects the table of system-call numbers. */
  readonly arch: Arch;
  /** The command line, `argv[0]` first. Bytes that are not UTF-8 appear as U+FFFD. */
  readonly argv: readonly string[];
  /** The environment as `NAME=value`. Bytes that are not UTF-8 appear as U+FFFD. */
  readonly environ: readonly string[];
  /** Absolute path of the script that starts this program. Default: the program is `/proc/self/exe`. */
  readonly program?: string;
  /** Address of the process' own `argv` array, or 0 when unknown. For an execve(2) that passes it unchanged. */
  readonly argvAddress: number;
  /** Address of the process' own `environ` array. */
  readonly environAddress: number;

  /**
   * Makes one system call.
   *
   * @returns the result, or `-errno`. A failed call does not throw.
   * @throws {TypeError} when an argument has another type or is a string that contains NUL. No call is made then.
   * @see syscall(2)
   */
  syscall(number: number, ...args: readonly SyscallArgument[]): number;

  /** Returns the address of the array's first byte. It is valid while the array is reachable. */
  address(bytes: Uint8Array): number;

  /**
   * Starts a child that makes a prepared list of system calls and nothing else.
   *
   * A step is eight little-endian 64-bit integers: the call's number, six arguments, and the errno to ignore (0: none,
   * -1: any). On the first failure that is not ignored, the child writes two 32-bit integers to `reportFd`, the step's
   * index and the errno, and exits with status 127. A successful execve(2) ends the list. After the last step, the
   * child exits with status 0.
   *
   * @param cloneFlags CLONE_NEW… flags for clone(2); SIGCHLD is added. No memory is shared.
   * @param steps the records, 64 bytes each. Everything they point to must be reachable until the call returns.
   * @param reportFd a close-on-exec descriptor, usually the write end of a pipe.
   * @returns the child's pid, or `-errno` of clone(2).
   */
  spawn(cloneFlags: number, steps: Uint8Array, reportFd: number): number;

  /** Decodes UTF-8; malformed sequences become U+FFFD. `end` is exclusive. */
  decode(bytes: Uint8Array, start: number, end: number): string;
}
