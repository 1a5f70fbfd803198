import type { CommandContext } from "../../../src/cli/command.ts";
import type { Decision } from "../../../src/cli/imaginary-container.ts";
import type { Syscalls } from "../../../src/sys/syscalls.ts";
import { type MemoryHost, memoryHost } from "../host/memory-host.ts";

/** The environment of a command under test. */
export interface ContextOptions {
  /** Lines of a tree, see {@link memoryHost}. */
  readonly tree?: string | readonly string[];
  readonly environ?: readonly string[];
  /** The outcome of every plan. Default: a container that requests GPUs and gets nothing. */
  readonly decision?: Partial<Decision> | (() => Decision);
  /** The system calls that the command makes itself. */
  readonly system?: Partial<Syscalls>;
}

/** A context without a kernel, and a record of what the command did. */
interface TestContext extends CommandContext {
  readonly host: MemoryHost;
  readonly printed: string[];
  /** The arguments of each plan. */
  readonly plans: Parameters<CommandContext["decide"]>[];
}

/** Makes a context for running one command. */
export function commandContext(options: ContextOptions = {}): TestContext {
  const printed: string[] = [];
  const plans: Parameters<CommandContext["decide"]>[] = [];
  return {
    system: { arch: "x64", geteuid: () => 0, ...options.system } as Syscalls,
    host: memoryHost(options.tree ?? ""),
    environ: options.environ ?? [],
    printed,
    plans,
    decide: (...args) => {
      plans.push(args);
      if (typeof options.decision === "function") return options.decision();
      return { asks: true, operations: [], findings: [], ...options.decision };
    },
    runWords: () => 0,
    print: (lines) => void printed.push(...lines),
  };
}
