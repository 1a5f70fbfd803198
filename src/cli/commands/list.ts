import type { Argv } from "yargs";
import { EXIT } from "../../model/errors.ts";
import { LIST_TYPES, type ListType, renderList } from "../../render/render-list.ts";
import type { Choose, CommandContext } from "../command.ts";
import { imaginaryContainer } from "../imaginary-container.ts";
import { CONFIG_OPTION } from "../options.ts";

interface ListArguments {
  readonly type?: readonly string[] | undefined;
  readonly long: boolean;
  readonly config?: string | undefined;
}

/** Adds `list`, which prints the paths that a container gets when it asks for everything. */
export const addList = (yargs: Argv, choose: Choose): Argv =>
  yargs.command(
    "list",
    "print the paths that a container gets when it asks for everything",
    (command) =>
      command
        .option("type", {
          type: "string",
          array: true,
          nargs: 1,
          choices: LIST_TYPES,
          describe: "only these; may be repeated",
        })
        .option("long", {
          alias: "l",
          type: "boolean",
          default: false,
          describe: "with host path and source",
        })
        .option("config", CONFIG_OPTION),
    (args) => choose((context) => runList(context, args)),
  );

function runList({ decide, print }: CommandContext, args: ListArguments): number {
  const { operations } = decide(imaginaryContainer(), undefined, args.config);
  print(renderList(operations, (args.type ?? LIST_TYPES) as readonly ListType[], args.long));
  return EXIT.done;
}
