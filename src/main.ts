import { HOOK_USAGE, parseHookArguments } from "./hook/arguments.ts";
import { runHook } from "./hook/run-hook.ts";
import { loadBundle } from "./load.ts";
import { EXIT, NvociError } from "./model/errors.ts";
import { basename, hostPath } from "./model/paths.ts";
import { HOOK_NAMES, HOOK_STAGES, isHookStage } from "./oci/state.ts";
import { linux, STDERR, STDOUT } from "./sys/linux.ts";
import type { Primitives } from "./sys/primitives.ts";
import type { Syscalls } from "./sys/syscalls.ts";
import { SystemError } from "./sys/system-error.ts";
import { quote } from "./text/quote.ts";
import { VERSION } from "./version.ts";

declare const nvociEngine: Primitives;

/** Names that callers use for the wrapper. NVIDIA's suffixes select a mode; nvoci detects it. */
const RUNTIME_NAMES = [
  "nvidia-container-runtime",
  "nvidia-container-runtime.cdi",
  "nvidia-container-runtime.legacy",
  "nvoci-runtime",
];

/** Runs the hook, whose command line differs from the rest of the program's. @returns the exit status. */
function hook(system: Syscalls, args: readonly string[], environ: readonly string[]): number {
  const { command, config, debug, version, help } = parseHookArguments(args);
  if (version || help) {
    system.write(
      STDOUT,
      version ? `NVIDIA Container Runtime Hook (nvoci) version ${VERSION}\n` : `${HOOK_USAGE}\n`,
    );
    return EXIT.done;
  }
  if (command === undefined)
    throw new NvociError("usage", "Cannot run the hook: no stage was given", {
      output: HOOK_USAGE.split("\n"),
    });
  if (!isHookStage(command)) {
    throw new NvociError("usage", `Cannot run the hook: ${quote(command)} is not a hook stage`, {
      output: HOOK_USAGE.split("\n"),
    });
  }
  if (HOOK_STAGES[command].namespaces === "container") {
    throw new NvociError(
      "usage",
      `Cannot run the hook at ${quote(command)}: register it at createRuntime or prestart`,
    );
  }
  if (command === "prestart" || command === "createRuntime") runHook(system, { environ, config, debug });
  return EXIT.done;
}

/** Runs as the wrapper: becomes the low-level runtime that the container engine meant to start. */
function wrap(system: Syscalls, engine: Primitives, args: readonly string[]): never {
  const { argv, environ, environAddress } = engine;
  const self = hostPath(engine.program ?? "/proc/self/exe");
  const { runtime } = loadBundle<typeof import("./runtime/runtime.ts")>("runtime");
  return runtime(system, { name: argv[0] ?? "", args, environ, environAddress, self });
}

/** Selects the program by the name it was called by, then by the first argument. @returns the exit status. */
function dispatch(system: Syscalls, engine: Primitives): number {
  const { argv, environ } = engine;
  const [name = "nvoci", first, ...rest] = argv;
  if (HOOK_NAMES.includes(basename(name))) return hook(system, argv.slice(1), environ);
  if (RUNTIME_NAMES.includes(basename(name))) return wrap(system, engine, argv.slice(1));
  if (first === "runtime") return wrap(system, engine, rest);
  if (first === "hook") return hook(system, rest, environ);
  // Scripts and installers call this often; it does not have to load yargs.
  if (first === "--version" && rest.length === 0) {
    system.write(STDOUT, `nvoci ${VERSION}\n`);
    return EXIT.done;
  }
  return loadBundle<typeof import("./cli/cli.ts")>("cli").cli(system, argv.slice(1), environ);
}

/** QuickJS' own error as text. The second form appears when there is no memory for the error itself. */
const OUT_OF_MEMORY: readonly string[] = ["InternalError: out of memory", "[unsupported type]"];

/** Reports an error on standard error. @returns the exit status. */
function report(system: Syscalls, error: unknown): number {
  if (error instanceof NvociError) {
    complain(system, error.render());
    return error.exitCode;
  }
  // Changes are undone by now.
  if (OUT_OF_MEMORY.includes(String(error))) {
    complain(system, "nvoci: Cannot continue: out of memory");
    return EXIT.failed;
  }
  const text =
    error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ""}` : String(error);
  complain(system, `nvoci: bug: ${text}`);
  return EXIT.bug;
}

/** Writes to standard error. If stderr is closed, only the exit status is left. */
function complain(system: Syscalls, text: string): void {
  try {
    system.write(STDERR, `${text}\n`);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
}

/** Runs the program and ends the process. */
function main(engine: Primitives): never {
  const system = linux(engine);
  let status: number;
  try {
    status = dispatch(system, engine);
  } catch (error) {
    status = report(system, error);
  }
  return system.exit_group(status);
}

main(nvociEngine);
