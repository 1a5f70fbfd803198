import { HOOK_USAGE, parseHookArguments } from "./hook/arguments.ts";
import { prestart } from "./hook/prestart.ts";
import { loadBundle } from "./load.ts";
import { EXIT, NvociError } from "./model/errors.ts";
import { basename } from "./model/paths.ts";
import { quote } from "./model/quote.ts";
import { HOOK_STAGES, isHookStage } from "./oci/hook-stages.ts";
import type { Engine } from "./sys/engine.ts";
import { linux, STDERR, STDOUT } from "./sys/linux.ts";
import type { Syscalls } from "./sys/syscalls.ts";
import { VERSION } from "./version.ts";

declare const nvociEngine: Engine;

/** Names that existing callers know the hook by. */
const HOOK_NAMES = ["nvidia-container-runtime-hook", "nvidia-container-toolkit", "nvoci-hook"];

/** Runs the hook by its own command line, which is not the rest of the program's. */
function hook(system: Syscalls, words: readonly string[], environ: readonly string[]): number {
  const { command, config, debug, version, help } = parseHookArguments(words);
  if (version || help) {
    system.write(
      STDOUT,
      version ? `NVIDIA Container Runtime Hook (nvoci) version ${VERSION}\n` : `${HOOK_USAGE}\n`,
    );
    return EXIT.done;
  }
  if (command === undefined)
    throw new NvociError("usage", "Cannot run the hook: no stage was given", HOOK_USAGE.split("\n"));
  if (!isHookStage(command)) {
    throw new NvociError(
      "usage",
      `Cannot run the hook: ${quote(command)} is no stage`,
      HOOK_USAGE.split("\n"),
    );
  }
  if (HOOK_STAGES[command].namespaces === "container") {
    throw new NvociError(
      "usage",
      `Cannot run the hook at "${command}": register it at createRuntime or prestart`,
    );
  }
  if (command === "prestart" || command === "createRuntime") prestart(system, { environ, config, debug });
  return EXIT.done;
}

/** Picks the program by the name it was called by, then by the first word. */
function dispatch(system: Syscalls, { argv, environ }: Engine): number {
  const [name = "nvoci", first, ...rest] = argv;
  if (HOOK_NAMES.includes(basename(name))) return hook(system, argv.slice(1), environ);
  if (first === "hook") return hook(system, rest, environ);
  // Asked by scripts and installers; it need not wait for yargs.
  if (first === "--version" && rest.length === 0) {
    system.write(STDOUT, `nvoci ${VERSION}\n`);
    return EXIT.done;
  }
  return loadBundle<typeof import("./cli/cli.ts")>("cli").cli(system, argv.slice(1), environ);
}

/** Says what went wrong, and gives the exit status. */
function report(system: Syscalls, error: unknown): number {
  if (error instanceof NvociError) {
    system.write(STDERR, `${error.render()}\n`);
    return error.exitCode;
  }
  const text =
    error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ""}` : String(error);
  system.write(STDERR, `nvoci: bug: ${text}\n`);
  return EXIT.bug;
}

/** Runs the program and ends the process. */
function main(engine: Engine): never {
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
