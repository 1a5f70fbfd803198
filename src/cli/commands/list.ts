import type { Argv } from "yargs";
import { loadConfig } from "../../config/load-config.ts";
import { EXIT } from "../../model/errors.ts";
import type { Finding } from "../../model/finding.ts";
import { LIST_TYPES, type ListType, renderList } from "../../render/render-plan.ts";
import { absolutePath, type Choose, CONFIG_OPTION, type CommandContext } from "../command.ts";
import { imaginaryContainer } from "../imaginary-container.ts";

/** Adds `config show`, which prints the configuration in effect as one JSON document. */
export const addConfig = (yargs: Argv, choose: Choose): Argv =>
  yargs.command("config", "show the configuration", (command) =>
    command.demandCommand(1, "no action given").command(
      "show",
      "print the configuration in effect, and the file that it comes from, as JSON",
      (show) => show.option("config", CONFIG_OPTION),
      (args) => choose((context) => runShow(context, args.config)),
    ),
  );

function runShow({ host, environ, print }: CommandContext, option: string | undefined): number {
  const path = option === undefined ? undefined : absolutePath(host, option);
  const findings: Finding[] = [];
  const { file, config } = loadConfig(host, environ, path, [], (found) => findings.push(found));
  print([JSON.stringify({ file: file ?? null, config, findings }, null, 2)]);
  return EXIT.done;
}

interface ListArguments {
  readonly type?: readonly string[] | undefined;
  readonly long: boolean;
  readonly config?: string | undefined;
}

/** Adds `list`, which prints the paths that a container gets when it requests everything. */
export const addList = (yargs: Argv, choose: Choose): Argv =>
  yargs.command(
    "list",
    "print the paths that a container gets when it requests everything",
    (command) =>
      command
        .option("type", {
          type: "string",
          array: true,
          nargs: 1,
          choices: LIST_TYPES,
          describe: "print only this type; may be repeated",
        })
        .option("long", {
          alias: "l",
          type: "boolean",
          default: false,
          describe: "also print the type, the host path and the source",
        })
        .option("config", CONFIG_OPTION),
    (args) => choose((context) => runList(context, args)),
  );

function runList({ decide, print }: CommandContext, args: ListArguments): number {
  const { operations } = decide(imaginaryContainer(), undefined, args.config);
  print(renderList(operations, (args.type ?? LIST_TYPES) as readonly ListType[], args.long));
  return EXIT.done;
}
