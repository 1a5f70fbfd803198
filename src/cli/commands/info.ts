import type { Argv } from "yargs";
import { readDriverVersion } from "../../driver/driver-version.ts";
import { EXIT } from "../../model/errors.ts";
import { renderInfo } from "../../render/render-info.ts";
import { VERSION } from "../../version.ts";
import { type Choose, CONFIG_OPTION, type CommandContext } from "../command.ts";
import { readHost } from "../read-host.ts";

/** Adds `info`, which prints the few facts that belong in every bug report. */
export const addInfo = (yargs: Argv, choose: Choose): Argv =>
  yargs.command(
    "info",
    "print version, platform, driver and configuration file",
    (command) => command.option("config", CONFIG_OPTION),
    (args) => choose((context) => runInfo(context, args.config)),
  );

function runInfo(context: CommandContext, config: string | undefined): number {
  const { loaded, platform, usesManifests, manifestDirectory } = readHost(context, config);
  context.print(
    renderInfo({
      version: VERSION,
      engine: "process" in globalThis ? "Node.js" : "QuickJS",
      arch: context.system.arch,
      platform,
      driver: readDriverVersion(context.host),
      configFile: loaded.file,
      manifestDirectory: usesManifests ? manifestDirectory : undefined,
    }),
  );
  return EXIT.done;
}
