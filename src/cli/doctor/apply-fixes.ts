import type { Check, Command } from "../../model/check.ts";
import { EXIT, NvociError } from "../../model/errors.ts";
import { PROGRAM_DIRECTORIES } from "../../model/paths.ts";
import { wordsOf } from "../../render/render-check.ts";
import { renderCommands } from "../../render/shell-command.ts";
import { AT_FDCWD, O_RDWR } from "../../sys/constants.ts";
import { runChild } from "../../sys/run-child.ts";
import { ANY_ERROR, StepList } from "../../sys/step-list.ts";
import type { Syscalls } from "../../sys/syscalls.ts";
import type { CommandContext } from "../command.ts";
import { findProgram } from "./programs.ts";

/** In seconds. Loading the modules of a server with many GPUs takes the longest. */
const TIMEOUT_S = 120;

/**
 * Beginnings of commands that `--fix` may run: they add something that is missing, stop nothing, and can be taken back.
 *
 * - `nvoci configure` keeps the original, and `--remove` restores it; `nvoci system` makes the nodes that each start of a
 *   container would make.
 * - `chmod o-w` only takes a right away, from a file that nvoci does not use until then.
 * - `ln -s` fails if the name exists. `ldconfig` and `modprobe` do what the next start of the host does.
 * - `systemctl reload` keeps containers running. A restart may not, so it is left to the administrator.
 */
const SAFE: readonly Command[] = [
  ["nvoci", "configure"],
  ["nvoci", "system"],
  ["chmod", "o-w"],
  ["ln", "-s"],
  ["ldconfig"],
  ["modprobe"],
  ["systemctl", "reload"],
];

const isSafe = (command: Command): boolean =>
  SAFE.some((beginning) => beginning.every((word, index) => command[index] === word));

/**
 * Runs the safe commands of problems, and prints each before it runs. What is printed is what runs: nvoci's own commands
 * in this process, others as programs with these arguments and without a shell. The commands that are not safe are
 * printed only.
 *
 * @throws {NvociError} "operation-failed" when this is not root.
 */
export function applyFixes(
  context: CommandContext,
  checks: readonly Check[],
  print: CommandContext["print"],
): void {
  if (context.system.geteuid() !== 0) {
    throw new NvociError("operation-failed", "Cannot fix this host: it needs root", {
      hint: "run: sudo nvoci doctor --fix",
    });
  }
  const commands = checks.filter(({ status }) => status !== "ok").flatMap((one) => wordsOf(one).fix ?? []);
  const lines = new Map(commands.map((command) => [renderCommands([command]), command]));
  for (const [line, command] of lines) {
    if (!isSafe(command)) {
      print([`left to you: ${line}`]);
      continue;
    }
    print([`run: ${line}`]);
    const failure = run(context, command);
    if (failure !== undefined) print([`failed: ${failure}`]);
  }
}

/** @returns the reason for a failure; `undefined` for a success. */
function run(context: CommandContext, [name = "", ...args]: Command): string | undefined {
  if (name !== "nvoci") return runProgram(context, name, args);
  const status = context.runWords(args);
  return status === EXIT.done ? undefined : `status ${status}`;
}

function runProgram({ system, host }: CommandContext, name: string, args: Command): string | undefined {
  const path = findProgram(host, name);
  if (path === undefined) return `${name} is not installed`;
  const { failure, words, status } = runChild(system, TIMEOUT_S, (output, report) => {
    const steps = childSteps(system, path, [name, ...args], output.number);
    return { pid: system.spawn(0, steps.encode(), report), steps };
  });
  if (failure !== undefined) return `${path} cannot be run`;
  if (words === undefined) return `it did not finish within ${TIMEOUT_S} s`;
  if ("exited" in status && status.exited === 0) return undefined;
  return words.trim().split("\n").at(-1);
}

function childSteps(system: Syscalls, path: string, argv: Command, output: number): StepList {
  const steps = new StepList(system);
  return steps
    .call("close", [0], ANY_ERROR)
    .call("openat", [AT_FDCWD, "/dev/null", O_RDWR, 0], ANY_ERROR)
    .call("dup3", [output, 1, 0])
    .call("dup3", [output, 2, 0])
    .call("execve", [
      path,
      steps.stringArray(argv),
      steps.stringArray([`PATH=${PROGRAM_DIRECTORIES.join(":")}`, "LC_ALL=C"]),
    ]);
}
