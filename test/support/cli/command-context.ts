import type { CommandContext } from "../../../src/cli/command.ts";
import { DEFAULT_CONFIG } from "../../../src/config/config.ts";
import type { Gathered } from "../../../src/hook/gather.ts";
import type { Syscalls } from "../../../src/sys/syscalls.ts";
import { type MemoryHost, memoryHost } from "../host/memory-host.ts";

/** What a command meets in a test. */
export interface ContextOptions {
  /** Lines of a tree, see {@link memoryHost}. */
  readonly tree?: string | readonly string[];
  readonly environ?: readonly string[];
  /** What every plan comes to. Default: a container that asks and gets nothing. */
  readonly gathered?: Partial<Gathered> | (() => Gathered);
  /** The calls that the command makes by itself. */
  readonly system?: Partial<Syscalls>;
}

/** A context without a kernel, and what the command did with it. */
export interface TestContext extends CommandContext {
  readonly host: MemoryHost;
  readonly printed: string[];
  /** The arguments of each plan. */
  readonly plans: Parameters<CommandContext["gather"]>[];
}

/** Makes a context for running one command. */
export function commandContext(options: ContextOptions = {}): TestContext {
  const printed: string[] = [];
  const plans: Parameters<CommandContext["gather"]>[] = [];
  return {
    system: { arch: "x64", geteuid: () => 0, ...options.system } as Syscalls,
    host: memoryHost(options.tree ?? ""),
    environ: options.environ ?? [],
    printed,
    plans,
    gather: (...args) => {
      plans.push(args);
      if (typeof options.gathered === "function") return options.gathered();
      const request = {} as Gathered["request"];
      const edits = { deviceNodes: [], mounts: [], links: [] };
      return { config: DEFAULT_CONFIG, request, edits, operations: [], findings: [], ...options.gathered };
    },
    print: (lines) => void printed.push(...lines),
  };
}
