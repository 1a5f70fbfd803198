import type { Primitives, SyscallArgument } from "../../../src/sys/primitives.ts";
import { type SyscallName, syscallNumbers } from "../../../src/sys/syscall-numbers.ts";

/** One system call that the engine received; byte arrays are copies of their content at that time. */
interface EngineCall {
  readonly name: SyscallName;
  readonly args: readonly SyscallArgument[];
}

/** Returns a call's result, and may fill the byte arrays among its arguments. */
type Answer = number | ((...args: readonly SyscallArgument[]) => number);

/** An engine without a kernel. */
interface FakeEngine extends Primitives {
  readonly calls: readonly EngineCall[];
}

/**
 * Returns an engine that answers each call from a list and repeats the last answer. A call without a list fails
 * the test.
 */
export function fakeEngine(
  answers: Partial<Record<SyscallName, readonly Answer[]>>,
  arch: "x64" | "arm64" = "x64",
): FakeEngine {
  const names = new Map(
    Object.entries(syscallNumbers(arch)).map(([name, number]) => [number, name as SyscallName]),
  );
  const calls: EngineCall[] = [];
  return {
    arch,
    calls,
    argv: [],
    environ: [],
    argvAddress: 0,
    environAddress: 0,
    syscall(number, ...args) {
      const name = names.get(number);
      const list = name && answers[name];
      if (name === undefined || list === undefined)
        throw new Error(`unexpected system call ${name ?? number}`);
      const earlier = calls.filter((call) => call.name === name).length;
      calls.push({ name, args: args.map((value) => (value instanceof Uint8Array ? value.slice() : value)) });
      const answer = list[Math.min(earlier, list.length - 1)] as Answer;
      return typeof answer === "number" ? answer : answer(...args);
    },
    address: () => 0,
    spawn: () => -38,
    decode: (bytes, start, end) => new TextDecoder().decode(bytes.subarray(start, end)),
  };
}
