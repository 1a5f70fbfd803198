import type { Argv } from "yargs";
import yargs from "yargs";
import { NvociError } from "../model/errors.ts";
import { VERSION } from "../version.ts";
import type { Choose, Run } from "./command.ts";
import { addClean } from "./commands/clean.ts";
import { addConfigure } from "./commands/configure.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addInfo } from "./commands/info.ts";
import { addConfig, addList } from "./commands/list.ts";
import { addManifest } from "./commands/manifest.ts";
import { addPlan } from "./commands/plan.ts";
import { addSystem } from "./commands/system.ts";
import { addWhy } from "./commands/why.ts";

/** Lists the hook in the help. `main` runs it without parsing the command line here. */
const addHook = (parser: Argv, choose: Choose): Argv =>
  parser.command(
    "hook <stage>",
    "inject the driver into the container whose OCI state is on standard input",
    (command) => command.positional("stage", { type: "string", describe: "prestart, createRuntime, ..." }),
    () =>
      choose(() => {
        throw new NvociError("usage", 'Cannot run the hook: "hook" must be the first argument', {
          hint: "see nvoci hook --help",
        });
      }),
  );

/** Lists the wrapper in the help. `main` runs it without parsing the command line here. */
const addRuntime = (parser: Argv, choose: Choose): Argv =>
  parser.command(
    "runtime [arguments..]",
    "run as a low-level runtime: add the driver to the container, then become runc",
    (command) =>
      command.positional("arguments", { type: "string", array: true, describe: "arguments of runc" }),
    () =>
      choose(() => {
        throw new NvociError("usage", 'Cannot run the runtime: "runtime" must be the first argument');
      }),
  );

/** A command to run, or a text to print: the help or the version. */
type CommandLine = { readonly run: Run } | { readonly text: string };

const WIDTH = 100;

const COMMANDS = [
  addHook,
  addRuntime,
  addPlan,
  addList,
  addDoctor,
  addWhy,
  addManifest,
  addConfig,
  addConfigure,
  addInfo,
  addClean,
  addSystem,
];

/**
 * Parses the command line. Runs nothing and prints nothing.
 *
 * @param words the arguments after the program's name.
 * @throws {NvociError} "usage" when the arguments are invalid.
 */
export function parseCommandLine(words: readonly string[]): CommandLine {
  let chosen: Run | undefined;
  let text = "";
  const parser = yargs([])
    .locale("en")
    .scriptName("nvoci")
    .usage("$0 <command>\n\nGives containers the host's NVIDIA driver.")
    .version(`nvoci ${VERSION}`)
    .help()
    .alias("help", "h")
    .strict()
    .demandCommand(1, "no command given")
    .exitProcess(false)
    .wrap(WIDTH)
    .parserConfiguration({ "dot-notation": false, "boolean-negation": false })
    .epilogue('Run "nvoci <command> --help" for the options of a command.');
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

/** Returns a message of yargs on one line, as the reason of an error. */
function oneLine(message: string): string {
  const text = message.replace(/\s*\n\s*/g, " ").trim();
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
