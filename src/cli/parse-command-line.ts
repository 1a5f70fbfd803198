import yargs from "yargs";
import { NvociError } from "../model/errors.ts";
import { VERSION } from "../version.ts";
import type { Run } from "./command.ts";
import { addClean } from "./commands/clean.ts";
import { addConfig } from "./commands/config.ts";
import { addConfigure } from "./commands/configure.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addHook } from "./commands/hook.ts";
import { addInfo } from "./commands/info.ts";
import { addList } from "./commands/list.ts";
import { addManifest } from "./commands/manifest.ts";
import { addPlan } from "./commands/plan.ts";
import { addRuntime } from "./commands/runtime.ts";
import { addSystem } from "./commands/system.ts";

/** A command to run, or a text that the command line itself asks for: help or the version. */
export type CommandLine = { readonly run: Run } | { readonly text: string };

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
