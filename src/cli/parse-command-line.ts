import type { Argv } from "yargs";
import yargs from "yargs";
import { NvociError } from "../model/errors.ts";
import { VERSION } from "../version.ts";
import type { Choose, Run } from "./command.ts";
import { addClean } from "./commands/clean.ts";
import { addConfigure } from "./commands/configure.ts";
import { addDoctor, addInfo } from "./commands/doctor.ts";
import { addConfig, addList } from "./commands/list.ts";
import { addManifest } from "./commands/manifest.ts";
import { addPlan } from "./commands/plan.ts";
import { addSystem } from "./commands/system.ts";

/** Lists the hook among the commands. It is run before this command line is read, so nothing of it is here. */
const addHook = (parser: Argv, choose: Choose): Argv =>
  parser.command(
    "hook <stage>",
    "inject the driver into the container whose OCI state is on standard input",
    (command) => command.positional("stage", { type: "string", describe: "prestart, createRuntime, ..." }),
    () =>
      choose(() => {
        throw new NvociError("usage", 'Cannot run the hook: "hook" must be the first word', {
          hint: "see nvoci hook --help",
        });
      }),
  );

/** Lists the wrapper among the commands. It is run before this command line is read, so nothing of it is here. */
const addRuntime = (parser: Argv, choose: Choose): Argv =>
  parser.command(
    "runtime [words..]",
    "run as a low-level runtime: give the container what it asks for, and become runc",
    (command) => command.positional("words", { type: "string", array: true, describe: "as for runc" }),
    () =>
      choose(() => {
        throw new NvociError("usage", 'Cannot run the runtime: "runtime" must be the first word');
      }),
  );

/** A command to run, or a text that the command line itself asks for: help or the version. */
type CommandLine = { readonly run: Run } | { readonly text: string };

const WIDTH = 100;

const COMMANDS = [
  addHook,
  addRuntime,
  addPlan,
  addList,
  addDoctor,
  addManifest,
  addConfig,
  addConfigure,
  addInfo,
  addClean,
  addSystem,
];

/**
 * Reads the command line. Runs nothing and prints nothing.
 *
 * @param words what follows the program's name.
 * @throws NvociError "usage"
 */
export function parseCommandLine(words: readonly string[]): CommandLine {
  let chosen: Run | undefined;
  let text = "";
  const parser = yargs([])
    .locale("en")
    .scriptName("nvoci")
    .usage("$0 <command>\n\nGives containers the NVIDIA driver of their host.")
    .version(`nvoci ${VERSION}`)
    .help()
    .alias("help", "h")
    .strict()
    .demandCommand(1, "no command given")
    .exitProcess(false)
    .wrap(WIDTH)
    .parserConfiguration({ "dot-notation": false, "boolean-negation": false })
    .epilogue('"nvoci <command> --help" tells what a command takes.');
  for (const add of COMMANDS) {
    add(parser, (run) => {
      chosen = run;
    });
  }
  parser.parse([...words], {}, (error, _, output) => {
    if (error) throw usageError(error.message);
    text = output;
  });
  return chosen && text === "" ? { run: chosen } : { text };
}

const usageError = (message: string): NvociError =>
  new NvociError("usage", `Cannot understand the command line: ${oneLine(message)}`, {
    hint: "see nvoci --help",
  });

/** yargs' sentence as the end of one of ours. */
function oneLine(message: string): string {
  const text = message.replace(/\s*\n\s*/g, " ").trim();
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
