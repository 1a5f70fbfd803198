import type { Argv } from "yargs";
import { EXIT } from "../../model/errors.ts";
import { renderCheck, renderHealth } from "../../render/render-check.ts";
import type { Choose, CommandContext } from "../command.ts";
import { diagnose } from "../diagnose.ts";
import { CONFIG_OPTION } from "../options.ts";

/** Adds `doctor`, which looks for what would stop a container from having its GPU. */
export const addDoctor = (yargs: Argv, choose: Choose): Argv =>
  yargs.command(
    "doctor",
    "look for what would keep a container from its GPU; exit status 1 when something would",
    (command) =>
      command
        .option("verbose", {
          alias: "v",
          type: "boolean",
          default: false,
          describe: "with names of nodes and missing files",
        })
        .option("config", CONFIG_OPTION),
    (args) => choose((context) => runDoctor(context, args.config, args.verbose)),
  );

function runDoctor(context: CommandContext, config: string | undefined, verbose: boolean): number {
  const checks = diagnose(context, config);
  context.print([...checks.flatMap((result) => renderCheck(result, verbose)), renderHealth(checks)]);
  return checks.some(({ status }) => status === "fail") ? EXIT.failed : EXIT.done;
}
