import { encodeUtf8 } from "../text/utf8.ts";
import { descriptorMessage } from "./structures.ts";
import { type SyscallName, syscallNumbers } from "./syscall-numbers.ts";
import type { Syscalls } from "./syscalls.ts";

/** Value of `tolerated` that ignores any failure of a step. */
export const ANY_ERROR = -1;

const RECORD_BYTES = 64;

/** Stores a whole number as i64. A hundred steps have a thousand of them, and each BigInt is an allocation. */
function setInteger(view: DataView, at: number, value: number): void {
  view.setUint32(at, value, true);
  view.setInt32(at + 4, Math.floor(value / 2 ** 32), true);
}

type StepArgument = number | string | Uint8Array | null;

/**
 * Builds the list of system calls that a child makes between clone(2) and execve(2). After a fork in a process with
 * threads, nothing but system calls is safe.
 *
 * Strings become NUL-terminated bytes. The list keeps everything alive that its records point to.
 */
export class StepList {
  private readonly system: Syscalls;
  private readonly records: (readonly [SyscallName, readonly StepArgument[], number])[] = [];
  private readonly kept: Uint8Array[] = [];

  constructor(system: Syscalls) {
    this.system = system;
  }

  /**
   * Adds a call.
   *
   * @param tolerated errno to ignore, or `ANY_ERROR`.
   */
  call(name: SyscallName, args: readonly StepArgument[], tolerated = 0): this {
    this.records.push([name, args, tolerated]);
    return this;
  }

  /** Returns the name of a step's call, for the message about its failure. */
  nameOf(index: number): string {
    return this.records[index]?.[0] ?? "unknown step";
  }

  /** Returns a NULL-terminated array of strings, for execve(2)'s argv and envp. */
  stringArray(strings: readonly string[]): Uint8Array {
    const pointers = new Uint8Array((strings.length + 1) * 8);
    const view = new DataView(pointers.buffer);
    strings.forEach((text, index) => {
      view.setBigUint64(index * 8, BigInt(this.addressOf(text)), true);
    });
    this.kept.push(pointers);
    return pointers;
  }

  /** Returns a `struct sock_fprog`, for prctl(2)'s filter: u16 count of instructions, pointer at 8. */
  program(instructions: Uint8Array): Uint8Array {
    const program = new Uint8Array(16);
    const view = new DataView(program.buffer);
    view.setUint16(0, instructions.length / 8, true);
    view.setBigUint64(8, BigInt(this.addressOf(instructions)), true);
    this.kept.push(program);
    return program;
  }

  /** Returns a `struct msghdr` that carries one of the child's descriptors. */
  message(fd: number): Uint8Array {
    const { message, parts } = descriptorMessage((bytes) => this.system.address(bytes), fd);
    this.kept.push(...parts);
    return message;
  }

  /** Returns the records for `Primitives.spawn`. */
  encode(): Uint8Array {
    const bytes = new Uint8Array(this.records.length * RECORD_BYTES);
    const view = new DataView(bytes.buffer);
    const numbers = syscallNumbers(this.system.arch);
    let at = 0;
    for (const [name, args, tolerated] of this.records) {
      setInteger(view, at, numbers[name]);
      let place = at + 8;
      for (const argument of args) {
        setInteger(view, place, typeof argument === "number" ? argument : this.addressOf(argument));
        place += 8;
      }
      setInteger(view, at + 56, tolerated);
      at += RECORD_BYTES;
    }
    return bytes;
  }

  private addressOf(argument: string | Uint8Array | null): number {
    if (argument === null) return 0;
    const bytes = typeof argument === "string" ? encodeUtf8(`${argument}\0`) : argument;
    this.kept.push(bytes);
    return this.system.address(bytes);
  }
}
