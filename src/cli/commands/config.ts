import type { Argv } from "yargs";
import { loadConfig } from "../../config/load-config.ts";
import { EXIT } from "../../model/errors.ts";
import type { Finding } from "../../model/finding.ts";
import { absolutePath } from "../absolute-path.ts";
import type { Choose, CommandContext } from "../command.ts";
import { CONFIG_OPTION } from "../options.ts";

/** Adds `config show`, which prints the configuration that holds, as one JSON document. */
export const addConfig = (yargs: Argv, choose: Choose): Argv =>
  yargs.command("config", "show the configuration", (command) =>
    command.demandCommand(1, "no action given").command(
      "show",
      "print the configuration that holds, and the file that it comes from, as JSON",
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
